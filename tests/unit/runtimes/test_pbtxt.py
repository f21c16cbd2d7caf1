"""Triton's text configs, as dictionaries."""

from __future__ import annotations

import contextlib

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import model_config_pb2

from scurry.runtimes.pbtxt import DEPTH, parse

CONFIG = """
# as people write them
name: "digits"
platform: "onnxruntime_onnx"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 16 ] } ]
output { name: "y", data_type: TYPE_FP32; dims: 4 dims: -1 }
instance_group [ { count: 2 kind: KIND_CPU } ]
dynamic_batching { preferred_batch_size: [ 4, 8 ] default_queue_policy < max_queue_size: 7 > }
parameters: { key: "a" value: { string_value: "2" } }
parameters { key: "b" value { string_value: 'c' "d" } }
model_warmup [ { name: "w" inputs: { key: "x" value: { data_type: TYPE_FP32 dims: [16] zero_data: true } } } ]
optimization { priority: PRIORITY_MAX }
"""


def test_a_config_as_people_write_them() -> None:
    """Lists in every form, maps by their keys, brackets of both kinds, texts in parts, comments."""
    x = {"data_type": "TYPE_FP32", "dims": [16]}
    assert parse(CONFIG) == {
        "name": "digits",
        "platform": "onnxruntime_onnx",
        "max_batch_size": 8,
        "input": [{"name": "x", **x}],
        "output": [{"name": "y", "data_type": "TYPE_FP32", "dims": [4, -1]}],
        "instance_group": [{"count": 2, "kind": "KIND_CPU"}],
        "dynamic_batching": {"preferred_batch_size": [4, 8], "default_queue_policy": {"max_queue_size": 7}},
        "parameters": {"a": "2", "b": "cd"},
        "model_warmup": [{"name": "w", "inputs": {"x": {**x, "zero_data": True}}}],
        "optimization": {"priority": "PRIORITY_MAX"},
    }


def test_tritons_own_parser_reads_the_same() -> None:
    """What we call lists and maps are such in its schema."""
    from google.protobuf import text_format

    config = text_format.Parse(CONFIG, model_config_pb2.ModelConfig())
    theirs = json_format.MessageToDict(config, preserving_proto_field_name=True)
    ours = parse(CONFIG)
    assert set(theirs) == set(ours)
    assert theirs["input"][0]["dims"] == [str(size) for size in ours["input"][0]["dims"]]
    assert {key: value["string_value"] for key, value in theirs["parameters"].items()} == ours["parameters"]
    assert theirs["model_warmup"][0]["inputs"].keys() == ours["model_warmup"][0]["inputs"].keys()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a", "1:2"),
        ("a: ", "1:"),
        ("a {", "1:"),
        ("a: 1\nb: [1", "2:"),
        ("a: 1 a: 2", "a is given twice"),
        ("a: }", "1:4"),
        ('a: "x', "ending quote"),
        ("parameters: 4", "must have a key"),
        ("parameters { value: 4 }", "must have a key"),
        ("a: 0x1g", "integer"),
        ("a: [1 2]", '","'),
        ("a{" * (DEPTH + 1), "nested too deeply"),
        ("{}", "1:1"),
    ],
)
def test_mistakes_say_where(text: str, where: str) -> None:
    """Line, column, and what was expected."""
    with pytest.raises(ValueError, match=where.replace("[", r"\[")):
        parse(text)


@given(st.text(alphabet='ab1_.-+e:;,{}[]<>"\'\\# \n', max_size=80))
def test_whatever_it_is_it_is_read_or_refused(text: str) -> None:
    """With a `ValueError`, never another."""
    with contextlib.suppress(ValueError):
        assert isinstance(parse(text), dict)


@given(
    st.recursive(
        st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=10)),
        lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, dict))
)
def test_what_is_written_is_read(document: object) -> None:
    """Texts with any characters in them, numbers, truths, messages in messages."""
    assert parse(written(document)) == document


def written(value: object) -> str:
    """The text form of a document."""
    assert isinstance(value, dict)
    return " ".join(
        f"{name} {{ {written(one)} }}" if isinstance(one, dict) else f"{name}: {scalar(one)}"
        for name, one in value.items()
    )


def scalar(value: object) -> str:
    """One value, every byte of a text escaped."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\{byte:03o}" for byte in value.encode(errors="replace")) + '"'
    return str(value)
