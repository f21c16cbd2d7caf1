"""What a model's config may say."""

from __future__ import annotations

import json

import pytest

from scurry.registry.lanes import configured
from scurry.registry.update import read
from scurry.runtimes.options import Options, parse_options
from scurry.runtimes.runtime import Runtime
from scurry.wire.errors import Failed, ScurryError
from scurry.wire.messages_pb2 import Register, Update

KNOWN = {"max_batch_size", "threads", "device", "providers", "model_warmup"}


def test_nothing_said_means_the_defaults():
    """An empty config is no config."""
    assert parse_options(" ", {}, KNOWN, "onnx") == Options(max_batch_size=None, threads=0, device="", providers=())


def test_the_registration_wins_over_the_file():
    """What was registered stands over what lies beside the model."""
    options = parse_options('{"threads": 3}', {"threads": 1, "device": "gpu"}, KNOWN, "onnx")
    assert (options.threads, options.device) == (3, "gpu")


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("{", "not JSON"),
        ("[1]", "must be a JSON object"),
        ('{"thread": 1}', "knows no option 'thread'; it knows device, max_batch_size"),
        ('{"threads": true}', "whole number"),
        ('{"threads": 1025}', "whole number from 0 to 1024, not 1025"),
        ('{"max_batch_size": 65537}', "whole number from 0 to 65536"),
        ('{"max_batch_size": -1}', "whole number"),
        ('{"model_warmup": {}}', "list of samples"),
        ('{"device": 3}', "must be a string"),
        ('{"providers": "CPUExecutionProvider"}', "list of names"),
    ],
)
def test_mistakes_have_sentences(config, sentence):
    """Each mistake is a load_failed that says what is expected."""
    with pytest.raises(Failed, match=sentence) as caught:
        parse_options(config, {}, KNOWN, "onnx")
    assert caught.value.code == "load_failed"


def test_what_is_tritons_and_harmless_is_said_to_have_no_effect():
    """A repository that Triton served is served; what tells how it is found is no option."""
    beside = {"name": "m", "platform": "onnxruntime_onnx", "optimization": {}, "parameters": {}}
    options = parse_options("", beside, KNOWN, "onnx")
    assert options.warnings == ("optimization, parameters in the config without effect here.",)


@pytest.mark.parametrize("name", ["model_transaction_policy", "ensemble_scheduling", "batch_input"])
def test_what_would_change_the_answer_is_refused(name):
    """Not ignored."""
    with pytest.raises(Failed, match=f"'{name}', which does not work here yet"):
        parse_options("", {name: {}}, KNOWN, "onnx")


@pytest.mark.parametrize(("name", "near"), [("max_batchsize", "max_batch_size"), ("optimisation", "optimization")])
def test_a_name_that_nobody_knows_is_refused_with_the_nearest(name, near):
    """Ours, or Triton's."""
    with pytest.raises(Failed, match=f"Was '{near}' meant?"):
        parse_options("", {name: 1}, KNOWN, "onnx")


def queue(**policy: object) -> dict[str, object]:
    """Triton's nesting."""
    return {"dynamic_batching": {"default_queue_policy": policy}}


@pytest.mark.parametrize(
    ("config", "taken", "bound"),
    [
        ({}, True, 0),
        ({"max_batch_size": 0}, True, 0),
        ({"max_batch_size": 1}, True, 0),
        ({"max_batch_size": 65536}, True, 0),
        ({"max_batch_size": 65537}, False, 0),
        ({"max_batch_size": -1}, False, 0),
        ({"max_batch_size": True}, False, 0),
        ({"max_batch_size": 8.0}, False, 0),
        ({"dynamic_batching": {}}, True, 0),
        ({"dynamic_batching": {"preferred_batch_size": [4], "max_queue_delay_microseconds": 100}}, True, 0),
        (queue(max_queue_size=7), True, 7),
        (queue(max_queue_size=7, default_timeout_microseconds=1000, timeout_action="REJECT"), True, 7),
        (queue(max_queue_size=0) | {"max_batch_size": 4}, True, 0),
        (queue(max_queue_size=-1), False, 0),
        (queue(max_queue_size=True), False, 0),
        (queue(max_queue_size="7"), False, 0),
        (queue(max_queue_size=2**31), False, 0),
        ({"dynamic_batching": []}, False, 0),
        ({"dynamic_batching": {"priority_levels": 3, "default_priority_level": 2}}, True, 0),
        ({"dynamic_batching": {"priority_levels": 3}}, False, 0),
        ({"dynamic_batching": {"priority_levels": 3, "default_priority_level": 4}}, False, 0),
        ({"dynamic_batching": {"priority_levels": 17, "default_priority_level": 1}}, False, 0),
        (queue(default_timeout_microseconds=-1), False, 0),
        (queue(default_timeout_microseconds="1s"), False, 0),
        ({"instance_group": [{"count": 2, "kind": "KIND_CPU"}, {"kind": "KIND_CPU"}]}, True, 0),
        ({"instance_group": {"count": 2}}, False, 0),
        ({"instance_group": [2]}, False, 0),
        ({"instance_group": [{"count": -1}]}, False, 0),
        ({"instance_group": [{"count": 9}, {"count": 9}]}, False, 0),
        ({"dynamic_batching": {"default_queue_policy": 3}}, False, 0),
    ],
)
def test_the_registry_and_the_worker_take_the_same_configs(config, taken, bound):
    """What one of them reads the other does not refuse; what one refuses the other does not take."""
    verdicts = []
    for ask in (_registered, lambda text: parse_options(text, {}, Runtime.known, "onnx")):
        try:
            ask(json.dumps(config))
            verdicts.append(True)
        except ScurryError:
            verdicts.append(False)
    assert verdicts == [taken, taken]
    if taken:
        assert configured(_registered(json.dumps(config))).max_queue_size == bound


def _registered(config: str) -> str:
    return read(Update(model="m", register=Register(uri="a.onnx", config=config))).register.config


def test_what_has_no_effect_is_named():
    """What the queue does with the overdue is ours, and the registry does not read what lies beside a model."""
    config = json.dumps(queue(max_queue_size=7, default_timeout_microseconds=1000, timeout_action="DELAY"))
    (warning,) = parse_options(config, {}, Runtime.known, "onnx").warnings
    assert warning == "timeout_action in dynamic_batching without effect here."
    beside = {"instance_group": [{"count": 1}], **queue(max_queue_size=7)}
    assert len(parse_options("", beside, Runtime.known, "onnx").warnings) == 2
    (warning,) = parse_options("", queue(max_queue_size=7), Runtime.known, "onnx").warnings
    assert "Register it with --config." in warning
    assert parse_options(json.dumps(queue(max_queue_size=7)), queue(), Runtime.known, "onnx").warnings == ()


def test_what_the_registry_reads_is_no_mistake() -> None:
    """Only beside the model it is said to have no effect there."""
    given = parse_options('{"pinned": true, "pool": "gpu", "version_policy": {"all": {}}}', {}, KNOWN, "toy")
    assert given.warnings == ()
    beside = parse_options("", {"pinned": True, "pool": "gpu", "version_policy": {"all": {}}}, KNOWN, "toy")
    assert [warning.split()[0] for warning in beside.warnings] == ["pinned", "pool", "version_policy"]
