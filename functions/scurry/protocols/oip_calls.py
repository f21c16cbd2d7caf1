"""Open Inference Protocol bodies from the caller's side.

A call is JSON with raw tensors behind it, as `oip_binary` reads it. An answer may be JSON alone, or have tensors behind
it. Outputs are views over its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from scurry.protocols import oip_json
from scurry.protocols.oip_binary import split
from scurry.protocols.oip_tensors import Document, content_of
from scurry.wire.errors import Failed, InvalidRequest, ScurryError
from scurry.wire.infer_pb2 import InferReply, InferRequest


class Output(NamedTuple):
    """One tensor of an answer."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: bytes | memoryview


class CallAnswer(NamedTuple):
    """What a body answers."""

    model: str
    version: str
    parameters: Mapping[str, Any]
    outputs: list[Output]

    def reply(self) -> InferReply:
        """The same as a message."""
        reply = InferReply()
        for name, told in self.parameters.items():
            oip_json.set_parameter(reply.parameters[name], name, told)
        for one in self.outputs:
            reply.outputs.add(name=one.name, datatype=one.datatype, shape=one.shape, data=bytes(one.data))
        return reply


def encode_call(
    request: InferRequest, apart: Mapping[str, bytes | memoryview], told: Mapping[str, bool | int | float | str]
) -> tuple[bytes, list[bytes | memoryview]]:
    """The JSON of a call and the tensors behind it; a tensor's bytes may lie `apart`, under its `payload`.

    All outputs are wanted in binary. `told` are parameters beside the request's own. Raises `InvalidRequest`.
    """
    strange = next((tensor for tensor in request.inputs if tensor.payload and tensor.payload not in apart), None)
    if strange is not None:
        sentence = f"Tensor {strange.name!r} is parked as {strange.payload!r}, which no gateway reads: send its data."
        raise InvalidRequest("payload_missing", sentence)
    tail = [apart[tensor.payload] if tensor.payload else tensor.data for tensor in request.inputs]
    own = {name: getattr(one, one.WhichOneof("value") or "string_value") for name, one in request.parameters.items()}
    document: Document = {
        "parameters": {"binary_data_output": True, **own, **told},
        "inputs": [
            {
                "name": tensor.name,
                "datatype": tensor.datatype,
                "shape": list(tensor.shape),
                "parameters": {"binary_data_size": len(data)},
            }
            for tensor, data in zip(request.inputs, tail, strict=True)
        ],
    }
    if request.outputs:
        document["outputs"] = [{"name": name} for name in request.outputs]
    return oip_json.dump(document), list(tail)


def decode_answer(body: bytes, header_length: str | None) -> CallAnswer:
    """What a body with that header answers. Raises `Failed` for what is no answer."""
    try:
        document = split(body, header_length, "outputs")
        outputs = [_output(entry) for entry in document["outputs"]]
        parameters = oip_json.parameters(document)
        return CallAnswer(
            str(document.get("model_name", "")), str(document.get("model_version", "")), parameters, outputs
        )
    except (ScurryError, KeyError, TypeError, ValueError) as cause:
        raise Failed("internal", f"The gateway's {len(body)} bytes are no answer: {cause}") from None


def _output(entry: Document) -> Output:
    name, datatype, shape, data = entry["name"], entry["datatype"], entry["shape"], entry["data"]
    if isinstance(data, list):
        data = content_of(name, datatype, shape, data)
    return Output(name, datatype, tuple(shape), data)
