"""Cluster Serving's REST: JSON instances in, a text for each out.

Its releases wrote answers in three forms. All are texts in a list, `NaN` for what failed:

* `v0.10`: the text of a JSON object, whose `value` is again the text of one: `{"data": [0.1], "shape": [1]}`;
* `v0.9`: `{value=[[0.1]]}`, nested lists;
* `arrow`: the result in base64 that clients over Redis get, within quotes.

Where a model has several outputs, the first two have a list of them: the original wrote one after the other, which is
no JSON. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from scurry.protocols.cluster_serving import encode_reply, request_of
from scurry.protocols.cluster_serving_columns import columns_of, instances_of
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.tensors import to_array

FAILED: Final = "NaN"
"""What stands for an answer that there is not."""


class Port(NamedTuple):
    """What an input is called and takes; -1 is any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Instance(NamedTuple):
    """One instance as a request, and whether a batch dimension was put before it."""

    request: InferRequest
    added: bool


def decode(body: bytes, ports: Sequence[Port]) -> list[Callable[[], Instance]]:
    """What makes a request of each instance; that raises `InvalidRequest`, as this does where there are none."""

    def made(instance: dict[str, Any]) -> Instance:
        return Instance(*request_of(columns_of(instance), ports, batched=False))

    return [lambda instance=each: made(instance) for each in instances_of(body)]  # type: ignore[misc]


def ports_of(signature: Mapping[str, Any]) -> list[Port]:
    """The inputs in a version's signature."""
    return [
        Port(spec["name"], spec["datatype"], tuple(int(size) for size in spec.get("shape", ())))
        for spec in signature.get("inputs", ())
    ]


def _whole(reply: InferReply, *, added: bool) -> list[tuple[Any, list[int]]]:
    """Each output as nested lists, and its shape, without the batch dimension that was added."""
    found = []
    for tensor in reply.outputs:
        array = to_array(tensor)
        array = array[0] if added and array.shape[:1] == (1,) else array
        values = array.tolist()
        if tensor.datatype == "BYTES":
            values = _texts(values)
        found.append((values, list(array.shape)))
    return found


def _texts(values: Any) -> Any:  # noqa: ANN401 - lists in lists
    if isinstance(values, list):
        return [_texts(each) for each in values]
    return values.decode(errors="replace") if isinstance(values, bytes) else values


def _flat(values: Any) -> list[Any]:  # noqa: ANN401
    return [one for each in values for one in _flat(each)] if isinstance(values, list) else [values]


def _only(told: list[Any]) -> Any:  # noqa: ANN401
    return told[0] if len(told) == 1 else told


def _v0_10(reply: InferReply, *, added: bool) -> str:
    told = [{"data": _flat(values), "shape": shape or [1]} for values, shape in _whole(reply, added=added)]
    return json.dumps({"value": json.dumps(_only(told), separators=(",", ":"))})


def _v0_9(reply: InferReply, *, added: bool) -> str:
    told = [values for values, _ in _whole(reply, added=added)]
    return f"{{value={json.dumps(_only(told), separators=(',', ':'))}}}"


def _arrow(reply: InferReply, *, added: bool) -> str:
    outputs = [(tuple(tensor.shape), tensor.data) for tensor in reply.outputs]
    return f'"{encode_reply(reply.outputs, outputs, added=added).decode()}"'


FORMS: Final[Mapping[str, Callable[..., str]]] = {"v0.10": _v0_10, "v0.9": _v0_9, "arrow": _arrow}
"""How each form tells an answer."""
MISSING: Final[Mapping[str, str]] = {
    "v0.10": json.dumps({"value": FAILED}),
    "v0.9": f"{{value={FAILED}}}",
    "arrow": f'"{FAILED}"',
}
"""And that there is none."""
