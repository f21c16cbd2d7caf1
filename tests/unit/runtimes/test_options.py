"""What a model's config may say."""

from __future__ import annotations

import pytest

from scurry.runtimes.options import Options, parse_options
from scurry.wire.errors import Failed

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
