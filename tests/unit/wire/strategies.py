"""Messages that nobody would think of: any type, any field, any bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from scurry.wire import messages_pb2 as pb

TYPES = sorted(
    (name for name, kind in vars(pb).items() if isinstance(kind, type) and issubclass(kind, Message)), key=str
)
WORDS = ["", "1", "2", "m", "latest", "x" * 200, "a/b", "m@1/0", "m@1/solo/1", "m@1/load/0", "scurry/upper", "é\n\0"]
JSONS = [
    "{", "[]", "{}", '{"register": {}}', '{"register": {"uri": "a.onnx", "version": "1"}}', "[" * 100_000, "NaN",
    '{"max_batch_size": 4}', '{"a": ' * 50_000, '{"alias": {"alias": "\\ud800"}}', '{"promote": {"version": 1}}',
    '{"split": {"weights": {"1": 2147483647, "latest": 2147483647}}}', '{"unregister": {}}',
    '{"register": {"uri": "\\ud800"}}', '{"register": {"uri": "a", "config": {"a": 1e999}}}',
]  # fmt: skip
texts = st.sampled_from(WORDS) | st.sampled_from(JSONS) | st.text(max_size=12)
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
}


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = 0) -> dict[str, Any]:
    """Some fields of a message, each with any value of its type."""
    values: dict[str, Any] = {}
    if not descriptor.fields:
        return values
    fields = draw(st.lists(st.sampled_from(list(descriptor.fields)), max_size=6, unique_by=lambda f: f.name))
    for field in fields:
        if field.message_type is not None and depth > 3:
            continue
        one = _value(field, depth)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            entry = field.message_type.fields_by_name
            pairs = st.dictionaries(_value(entry["key"], depth), _value(entry["value"], depth), max_size=3)
            values[field.name] = draw(pairs)
        else:
            values[field.name] = draw(st.lists(one, max_size=3)) if field.is_repeated else draw(one)
    return values


def _value(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return messages(field.message_type, depth + 1)
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    if field.cpp_type in _INTEGERS:
        low, high = _INTEGERS[field.cpp_type]
        return st.integers(-2, 5) | st.integers(low, high) | st.sampled_from([low, high])
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return st.booleans()
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return st.floats()
    return st.binary(max_size=20) if field.type == FieldDescriptor.TYPE_BYTES else texts


@st.composite
def typed_values(draw: st.DrawFn, kinds: Sequence[str]) -> tuple[str, bytes]:
    """Typename and value of a message as it may arrive: well made, cut short, spoilt in one byte, or noise."""
    kind = draw(st.sampled_from(kinds) | st.sampled_from(TYPES))
    typename = draw(st.sampled_from([f"scurry.v1/{kind}"] * 20 + ["other/Thing", "", "scurry.v1/Nothing"]))
    descriptor = getattr(pb, kind).DESCRIPTOR
    if not descriptor.fields:
        return typename, draw(st.binary(max_size=20))
    value: bytes = getattr(pb, kind)(**draw(messages(descriptor))).SerializeToString()
    how = draw(st.sampled_from(["whole"] * 4 + ["cut", "spoilt", "noise"]))
    if how == "noise":
        return typename, draw(st.binary(max_size=60))
    if how == "cut" and value:
        return typename, value[: draw(st.integers(0, len(value) - 1))]
    if how == "spoilt" and value:
        at = draw(st.integers(0, len(value) - 1))
        return typename, value[:at] + bytes([draw(st.integers(0, 255))]) + value[at + 1 :]
    return typename, value


def calls(*kinds: str) -> st.SearchStrategy[list[tuple[str, bytes]]]:
    """Calls of several such messages, many of them of these kinds."""
    return st.lists(typed_values(kinds), max_size=6)
