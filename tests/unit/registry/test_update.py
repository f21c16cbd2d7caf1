"""What a registry message asks for."""

from __future__ import annotations

import json

import pytest

from scurry.registry.update import describe, read
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import Register, Split, Update


@pytest.mark.parametrize(
    ("text", "verb", "fields"),
    [
        ('{"register": {"uri": "a.onnx"}}', "register", {"uri": "a.onnx", "runtime": "onnx"}),
        ('{"register": {"uri": "A.ONNX", "version": 3}}', "register", {"runtime": "onnx", "version": "3"}),
        ('{"register": {"uri": "a.xml", "version": "v1"}}', "register", {"runtime": "openvino", "version": "v1"}),
        ('{"register": {"uri": "dir", "config": {}}}', "register", {"runtime": "", "config": ""}),
        ('{"register": {"uri": "a.xml", "runtime": "onnx"}}', "register", {"runtime": "onnx"}),
        ('{"register": {"uri": "d", "config": {"b": 1, "a": 2}}}', "register", {"config": '{"a":2,"b":1}'}),
        ('{"register": {"uri": "d", "config": "{\\"b\\": 1}"}}', "register", {"config": '{"b":1}'}),
        ('{"register": {"uri": "x/y", "runtime": "function"}}', "register", {"runtime": "function"}),
        ('{"unregister": {}}', "unregister", {"version": ""}),
        ('{"unregister": {"version": 2}}', "unregister", {"version": "2"}),
        ('{"alias": {"alias": "stable", "version": "1"}}', "alias", {"alias": "stable", "version": "1"}),
        ('{"split": {"weights": {"1": 9, "2": 0}}}', "split", {"weights": {"1": 9, "2": 0}}),
        ('{"promote": {"version": "1"}}', "promote", {"version": "1"}),
        ('{"rollback": {}}', "rollback", {}),
    ],
)
def test_json_becomes_a_change(text: str, verb: str, fields: dict[str, object]) -> None:
    """Every verb, with numbers for versions, defaults and canonical options."""
    update = read(Update(model="m", json=text))
    assert update.WhichOneof("change") == verb
    change = getattr(update, verb)
    assert {name: type(value)(getattr(change, name)) for name, value in fields.items()} == fields


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "one of register, unregister"),
        ("{}", "one of register"),
        ('{"register": {}, "rollback": {}}', "one of register"),
        ('{"lode": {}}', "unknown verb 'lode'; known are register, unregister, alias, split,"),
        ('{"register": []}', "register must be an object"),
        ('{"register": {"uri": "a", "url": "b"}}', "register has no field 'url'; it has version, uri, runtime, config"),
        ('{"rollback": {"version": "1"}}', "rollback has no field 'version'; it has none"),
        ('{"register": {"uri": 1.5}}', "register.uri must be text"),
        ('{"register": {"uri": true}}', "register.uri must be text"),
        ('{"register": {"uri": null}}', "register.uri must be text"),
        ('{"register": {}}', "register.uri is missing"),
        ('{"register": {"uri": "a", "version": "a b"}}', "register.version 'a b' is no name"),
        ('{"register": {"uri": "a", "version": "a/b"}}', "register.version 'a/b' is no name"),
        ('{"register": {"uri": "a", "config": []}}', "register.config must be an object"),
        ('{"register": {"uri": "a", "config": "[]"}}', "register.config must be an object"),
        ('{"register": {"uri": "a", "config": "x"}}', "register.config is not JSON"),
        ('{"register": {"uri": "a", "config": {"max_batch_size": -1}}}', "max_batch_size must be a whole"),
        ('{"register": {"uri": "a", "config": {"max_batch_size": "8"}}}', "max_batch_size must be"),
        ('{"register": {"uri": "a", "config": {"max_batch_size": true}}}', "max_batch_size must be"),
        ('{"register": {"uri": "upper", "runtime": "function"}}', "must be namespace/type"),
        ('{"register": {"uri": "a/b/c", "runtime": "function"}}', "must be namespace/type"),
        ('{"register": {"uri": "scurry/router", "runtime": "function"}}', "one of Scurry's own functions"),
        ('{"split": {"weights": [1]}}', "split.weights must be an object"),
        ('{"split": {"weights": {"1": 0.5}}}', "split.weights.1 must be a whole number"),
        ('{"split": {"weights": {"1": -1}}}', "split.weights.1 must be a whole number"),
        ('{"split": {"weights": {"1": true}}}', "split.weights.1 must be a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(text: str, words: str) -> None:
    """The sentence names the verb and field."""
    with pytest.raises(InvalidRequest) as raised:
        read(Update(model="m", json=text))
    assert raised.value.code == "bad_request"
    assert words in raised.value.message


@pytest.mark.parametrize("model", ["", "a b", "a/b", "a@b", "!", "-a", "é", "m" * 129])
def test_a_model_needs_a_name(model: str) -> None:
    """Names go into keys and addresses."""
    with pytest.raises(InvalidRequest, match="is no name"):
        read(Update(model=model, json='{"rollback": {}}'))


def test_protobuf_is_checked_like_json() -> None:
    """The client's form gets the same defaults and the same refusals, and the original stays as it was."""
    update = Update(model="m", register=Register(uri="a.onnx", config='{ "b" : 1 }'))
    assert read(update).register == Register(uri="a.onnx", runtime="onnx", config='{"b":1}')
    assert update.register.runtime == ""
    with pytest.raises(InvalidRequest):
        read(Update(model="m", register=Register()))


@pytest.mark.parametrize(
    ("update", "text"),
    [
        (Update(register=Register(uri="a", config='{"b":1}')), '{"register":{"config":{"b":1},"uri":"a"}}'),
        (Update(split=Split(weights={"1": 9})), '{"split":{"weights":{"1":9}}}'),
        (Update(json="{broken"), "{broken"),
    ],
)  # fmt: skip
def test_describe(update: Update, text: str) -> None:
    """The audit shows the change as JSON, or what came in its place."""
    assert describe(update) == text


@pytest.mark.parametrize(
    "text", ['{"register":{"runtime":"onnx","uri":"a"}}', '{"split":{"weights":{"1":9}}}', '{"rollback":{}}']
)
def test_describe_is_the_inverse_of_read(text: str) -> None:
    """An audited change can be sent again."""
    assert json.loads(describe(read(Update(model="m", json=text)))) == json.loads(text)


@pytest.mark.parametrize("uri", ["example/upper", "a/b"])
def test_a_function_that_the_module_binds(uri: str) -> None:
    """By its own name or with all of its namespace."""
    update = Update(model="m", register=Register(uri=uri, runtime="function"))
    assert read(update, ("a/b", "example/*")).register.uri == uri


@pytest.mark.parametrize(
    ("uri", "bound", "words"),
    [
        ("nobody/there", (), "no endpoint for it; it binds no function but ours"),
        ("nobody/there", ("a/b", "example/*"), "no endpoint for it; it binds a/b, example/*"),
        ("a/c", ("a/b",), "no endpoint for it"),
        ("a b/c", ("a b/c",), "must be namespace/type"),
        ("a/*", ("a/*",), "must be namespace/type"),
        ("a/b c", ("a/*",), "must be namespace/type"),
    ],
)
def test_a_function_that_nobody_serves_is_refused(uri: str, bound: tuple[str, ...], words: str) -> None:
    """One request to it would restart the job, again and again."""
    with pytest.raises(InvalidRequest) as raised:
        read(Update(model="m", register=Register(uri=uri, runtime="function")), bound)
    assert words in raised.value.message


@pytest.mark.parametrize("size", [-1, 1.5, True, "3", 2**31])
def test_a_queue_has_a_size(size: object) -> None:
    """A whole number from 0, under Triton's name."""
    config = {"dynamic_batching": {"default_queue_policy": {"max_queue_size": size}}}
    with pytest.raises(InvalidRequest, match="max_queue_size must be a whole number from 0"):
        read(Update(model="m", register=Register(uri="a", config=json.dumps(config))))
    for broken in ({"dynamic_batching": 1}, {"dynamic_batching": {"default_queue_policy": []}}):
        with pytest.raises(InvalidRequest, match="must be an object"):
            read(Update(model="m", register=Register(uri="a", config=json.dumps(broken))))
