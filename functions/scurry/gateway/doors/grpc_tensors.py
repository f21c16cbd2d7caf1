"""What a gRPC request tells of single tensors: shared memory, classification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scurry.client.answers import Answer
from scurry.gateway.classification import classify, labels_of
from scurry.gateway.describe import version_of
from scurry.gateway.models import Models
from scurry.gateway.shared_memory import SharedMemory
from scurry.protocols.oip_grpc import InferMessage, Value
from scurry.protocols.oip_tensors import brief
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import Tensor

REGION: Final = "shared_memory_region"
SIZE: Final = "shared_memory_byte_size"
OFFSET: Final = "shared_memory_offset"
CLASSES: Final = "classification"
OF_INPUTS: Final = frozenset({REGION, SIZE, OFFSET})
OF_OUTPUTS: Final = OF_INPUTS | {CLASSES}

Told = Mapping[str, Value]


class Placing:
    """Takes inputs from shared memory, puts outputs there, tells others by their largest classes."""

    def __init__(self, memory: SharedMemory, models: Models) -> None:
        self._memory, self._models = memory, models

    def take_in(self, infer: InferMessage) -> None:
        """Read the inputs that lie in shared memory, check what is told of others. Raises `InvalidRequest`."""
        for at, tensor in enumerate(infer.request.inputs):
            told = infer.of_inputs.get(tensor.name)
            if told:
                _check(told, OF_INPUTS, f"Input {brief(tensor.name)}")
                if REGION in told:
                    region, offset, size = _place(told, f"Input {brief(tensor.name)}")
                    infer.contents[at] = self._memory.read(region, offset, size)
        for name, told in infer.of_outputs.items():
            _check(told, OF_OUTPUTS, f"Output {brief(name)}")
            if REGION in told:
                if CLASSES in told:
                    sentence = f"Output {brief(name)} cannot be told by classes in shared memory: ask for one of both."
                    raise InvalidRequest("bad_request", sentence)
                region, _, _ = _place(told, f"Output {brief(name)}")
                self._memory.status(region)

    async def give_out(self, answer: Answer, of_outputs: Mapping[str, Told]) -> dict[str, Told]:
        """Put outputs where they are wanted; returns what the response tells of those. Raises `ScurryError`."""
        placed: dict[str, Told] = {}
        for tensor in answer.reply.outputs:
            told = of_outputs.get(tensor.name) or {}
            if REGION in told:
                placed[tensor.name] = self._put(tensor, told)
            elif CLASSES in told:
                tensor.CopyFrom(await self._classified(tensor, told[CLASSES], answer))
        return placed

    def _put(self, tensor: Tensor, told: Told) -> Told:
        region, offset, size = _place(told, f"Output {brief(tensor.name)}")
        if len(tensor.data) > size:
            sentence = f"shared memory size specified with the request for output {brief(tensor.name)} ({size} bytes)"
            raise InvalidRequest("bad_request", f"{sentence} should be at least {len(tensor.data)} bytes")
        self._memory.write(region, offset, tensor.data)
        return {REGION: region, SIZE: len(tensor.data), **({OFFSET: offset} if offset else {})}

    async def _classified(self, tensor: Tensor, count: Value, answer: Answer) -> Tensor:
        record = await self._models.record(answer.model)
        one = version_of(record, answer.model, answer.version)
        labels = labels_of(record, answer.model, answer.version, tensor.name)
        return classify(tensor, int(count), labels, batched=bool((one.get("signature") or {}).get("batched")))

    def __repr__(self) -> str:
        return f"<Placing in {self._memory!r}>"


def _check(told: Told, known: frozenset[str], whose: str) -> None:
    for name, value in told.items():
        if name not in known:
            continue  # Triton passes over what it does not know, too
        if name == REGION:
            if not isinstance(value, str):
                raise InvalidRequest("bad_request", f"{whose} needs a text as {name!r}.")
        elif type(value) is not int or value < (1 if name == CLASSES else 0):
            raise InvalidRequest("bad_request", f"{whose} needs a whole number as {name!r}, not {brief(value)}.")


def _place(told: Told, whose: str) -> tuple[str, int, int]:
    """Region, offset and size."""
    if SIZE not in told:
        raise InvalidRequest("bad_request", f"{whose} has {REGION!r} and needs {SIZE!r} beside it.")
    return str(told[REGION]), int(told.get(OFFSET, 0)), int(told[SIZE])
