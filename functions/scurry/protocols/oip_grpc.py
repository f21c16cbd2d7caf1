"""Open Inference Protocol v2 over gRPC to and from the wire's messages.

Raw tensors are looked at where they lie in the message: protobuf reads only what stands before them. A large one goes
to where it is parked without a copy, a small one is copied once.
Layout: protos/scurry/protocols/oip.proto and https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Final

from google.protobuf.message import DecodeError

from scurry.protocols.oip_grpc_contents import content_of
from scurry.protocols.oip_json import set_parameter
from scurry.protocols.oip_pb2 import InferParameter, ModelInferRequest, ModelInferResponse
from scurry.protocols.oip_tensors import KNOWN, brief
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.limits import DIMENSIONS, OUTPUTS
from scurry.wire.names import CLAIM_CHECK_BYTES
from scurry.wire.tensors import DTYPES, varint

RAW_TAG: Final = 0x3A
"""What stands before the length of one of `ModelInferRequest.raw_input_contents`."""
RAW_OUTPUT_TAG: Final = b"\x32"
"""What stands before the length of one of `ModelInferResponse.raw_output_contents`."""
FINAL: Final = "triton_final_response"
"""Parameter of an answer in a stream that says that no other follows to its request."""
WANTS_FINAL: Final = "triton_enable_empty_final_response"

Value = bool | int | float | str
Content = bytes | memoryview


@dataclass(slots=True)
class InferMessage:
    """What a ModelInferRequest asks for: `request` has the inputs without their bytes, which are the `contents`.

    `of_inputs` and `of_outputs` are the parameters of single tensors: shared memory, classification.
    """

    model: str
    version: str
    id: str
    request: InferRequest
    contents: list[Content]
    of_inputs: dict[str, Mapping[str, Value]] = field(default_factory=dict)
    of_outputs: dict[str, Mapping[str, Value]] = field(default_factory=dict)

    def written(self, key_of: Callable[[str], str]) -> tuple[bytes, list[tuple[str, Content]]]:
        """The serialised request, and what of it is parked under which key. Raises `InvalidRequest`."""
        parked: list[tuple[str, Content]] = []
        for tensor, content in zip(self.request.inputs, self.contents, strict=True):
            _check_size(tensor, len(content))
            if len(content) > CLAIM_CHECK_BYTES:
                tensor.payload = key_of(tensor.name)
                parked.append((tensor.payload, content))
            else:
                tensor.data = bytes(content)
        return self.request.SerializeToString(), parked


def decode(message: bytes) -> InferMessage:
    """What a serialised ModelInferRequest asks for. Raises `InvalidRequest`."""
    return decoded(*split(message))


def decoded(rest: bytes, raw: Sequence[memoryview]) -> InferMessage:
    """What a message asks for that was `split`. Raises `InvalidRequest`."""
    try:
        asked = ModelInferRequest.FromString(rest)
    except DecodeError:
        raise InvalidRequest("bad_request", "The message is no ModelInferRequest.") from None
    request = InferRequest()
    found = InferMessage(asked.model_name, asked.model_version, asked.id, request, [])
    _add_inputs(found, asked, raw)
    _add_outputs(found, asked)
    for key, given in asked.parameters.items():
        set_parameter(request.parameters[key], key, value_of(given))
    return found


def split(message: bytes) -> tuple[bytes, list[memoryview]]:
    """A message without its raw contents, and those. Raises `InvalidRequest`."""
    kept: list[memoryview] = []
    raw: list[memoryview] = []
    view, at, since = memoryview(message), 0, 0
    while at < len(view):
        tag, start = _varint(message, at)
        if tag & 7 != 2:  # nothing but fields that tell their length stands here
            raise InvalidRequest("bad_request", "The message is no ModelInferRequest.")
        size, start = _varint(message, start)
        stop = start + size
        if stop > len(view):
            raise InvalidRequest("bad_request", "The message ends within a field.")
        if tag == RAW_TAG:
            kept.append(view[since:at])
            raw.append(view[start:stop])
            since = stop
        at = stop
    if not raw:
        return message, raw
    kept.append(view[since:])
    return b"".join(kept), raw


def encode_reply(
    reply: InferReply,
    *,
    model: str,
    version: str,
    id: str = "",  # noqa: A002
    placed: Mapping[str, Mapping[str, Value]] | None = None,
    final: bool = False,
) -> list[bytes]:
    """A ModelInferResponse in pieces. Outputs that were `placed` elsewhere say so and carry no bytes."""
    response = ModelInferResponse(model_name=model, model_version=version, id=id)
    for key, told in reply.parameters.items():
        which = told.WhichOneof("value")
        if which is not None:
            put(response.parameters[key], getattr(told, which))
    if final:
        response.parameters[FINAL].bool_param = True
    tail: list[bytes] = []
    for tensor in reply.outputs:
        output = response.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
        for key, value in ((placed or {}).get(tensor.name) or {}).items():
            put(output.parameters[key], value)
        data = b"" if output.parameters else tensor.data
        tail += (RAW_OUTPUT_TAG + varint(len(data)), data)
    return [response.SerializeToString(), *tail]


def value_of(parameter: InferParameter) -> Value | None:
    """The value of a parameter; None when it has none."""
    which = parameter.WhichOneof("parameter_choice")
    return None if which is None else getattr(parameter, which)


def put(parameter: InferParameter, value: Value) -> None:
    """Give a parameter its value."""
    if isinstance(value, bool):
        parameter.bool_param = value
    elif isinstance(value, int):
        parameter.int64_param = value
    elif isinstance(value, float):
        parameter.double_param = value
    else:
        parameter.string_param = value


def _add_inputs(found: InferMessage, asked: ModelInferRequest, raw: Sequence[memoryview]) -> None:
    """Cases of an input's bytes: 1. in shared memory, the door's matter; 2. among the raw ones; 3. typed contents."""
    names: set[str] = set()
    left = iter(raw)
    for tensor in asked.inputs:
        name = tensor.name
        if not name or name in names:
            told = "has a tensor without a name" if not name else f"has tensor {brief(name)} twice"
            raise InvalidRequest("bad_request", f"Field `inputs` {told}.")
        names.add(name)
        _check(name, tensor.datatype, tensor.shape)
        found.request.inputs.add(name=name, datatype=tensor.datatype, shape=tensor.shape)
        found.of_inputs |= _of_tensor(name, tensor.parameters)
        if "shared_memory_region" in tensor.parameters:
            found.contents.append(b"")
        elif raw:
            if tensor.HasField("contents"):
                raise InvalidRequest("bad_request", f"Tensor {brief(name)} has `contents` beside raw_input_contents.")
            content = next(left, None)
            if content is None:
                raise InvalidRequest("bad_request", f"Tensor {brief(name)} has no bytes in `raw_input_contents`.")
            found.contents.append(content)
        else:
            found.contents.append(content_of(name, tensor.datatype, tensor.contents))
    if next(left, None) is not None:
        raise InvalidRequest("bad_request", f"Field `raw_input_contents` has {len(raw)} entries, more than inputs.")


def _add_outputs(found: InferMessage, asked: ModelInferRequest) -> None:
    if len(asked.outputs) > OUTPUTS:
        sentence = f"Field `outputs` names {len(asked.outputs)} outputs; {OUTPUTS} are the limit."
        raise InvalidRequest("bad_request", sentence)
    names: dict[str, None] = {}
    for output in asked.outputs:
        if not output.name or output.name in names:
            told = f"has {brief(output.name)} twice" if output.name else "has one without a name"
            raise InvalidRequest("bad_request", f"Field `outputs` {told}.")
        names[output.name] = None
        found.of_outputs |= _of_tensor(output.name, output.parameters)
    found.request.outputs.extend(names)


def _of_tensor(name: str, parameters: Mapping[str, InferParameter]) -> dict[str, Mapping[str, Value]]:
    """What is told of one tensor, under its name; nothing if there is nothing."""
    told = {key: value for key, each in parameters.items() if (value := value_of(each)) is not None}
    return {name: told} if told else {}


def _check(name: str, datatype: str, shape: Sequence[int]) -> None:
    if datatype not in DTYPES and datatype != "BYTES":
        sentence = f"Tensor {brief(name)} has datatype {brief(datatype)}; known are {KNOWN}."
        raise InvalidRequest("input_datatype", sentence)
    if len(shape) > DIMENSIONS:
        sentence = f"Tensor {brief(name)} has {len(shape)} dimensions; {DIMENSIONS} are the limit."
        raise InvalidRequest("input_rank", sentence)
    if any(size < 0 for size in shape):
        raise InvalidRequest("input_shape", f"Tensor {brief(name)} needs sizes from 0, not {brief(list(shape))}.")


def _check_size(tensor: Tensor, size: int) -> None:
    if tensor.datatype != "BYTES" and prod(tensor.shape) * DTYPES[tensor.datatype].itemsize != size:
        told = f"says {tensor.datatype} {list(tensor.shape)} but carries {size} bytes"
        raise InvalidRequest("input_shape", f"Tensor {brief(tensor.name)} {told}.")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends. Raises `InvalidRequest`."""
    value = shift = 0
    for position in range(at, min(at + 10, len(data))):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position + 1
        shift += 7
    raise InvalidRequest("bad_request", "The message is no ModelInferRequest.")
