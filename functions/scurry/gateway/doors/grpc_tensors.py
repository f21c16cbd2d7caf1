"""Single tensors of a gRPC request: shared memory, classification."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from scurry.client.answers import Answer
from scurry.gateway.doors.background import AT_ONCE
from scurry.gateway.limits import COPIES, Room
from scurry.gateway.models import Models
from scurry.gateway.outputs import put_down, tell_classes
from scurry.gateway.shared_memory import SharedMemory
from scurry.protocols.oip_extensions import Place, classes_of, place_of
from scurry.protocols.oip_grpc import InferMessage, Value
from scurry.protocols.oip_tensors import brief
from scurry.wire.errors import InvalidRequest


class Wanted:
    """How the outputs of one request are wanted: `places` in shared memory, `classes` in place of numbers."""

    __slots__ = ("classes", "places")

    def __init__(self, places: Mapping[str, Place], classes: Mapping[str, int]) -> None:
        self.places, self.classes = places, classes

    def __bool__(self) -> bool:
        return bool(self.places or self.classes)

    def __repr__(self) -> str:
        return f"<Wanted {len(self.places)} in places, {len(self.classes)} as classes>"


class Placing:
    """Takes inputs from shared memory, puts outputs there, tells others by their largest classes."""

    def __init__(self, memory: SharedMemory, models: Models) -> None:
        self._memory, self._models = memory, models

    async def take_in(self, infer: InferMessage, room: Room) -> Wanted:
        """Read the inputs that lie in shared memory, if there is memory for them. Raises `ScurryError`."""
        names = [tensor.name for tensor in infer.request.inputs]
        places = [place_of(infer.of_inputs.get(name, {}), _named("Input", name)) for name in names]
        size = sum(place.byte_size for place in places if place is not None)
        wanted = wanted_of(infer.of_outputs)
        for place in wanted.places.values():
            self._memory.status(place.region)
        room.take(size * COPIES)
        if size > AT_ONCE:
            await asyncio.to_thread(self._read, infer, places)
        else:
            self._read(infer, places)
        return wanted

    async def give_out(self, answer: Answer, wanted: Wanted) -> dict[str, Mapping[str, Value]]:
        """Put outputs where they are wanted; returns what the response tells of those. Raises `ScurryError`."""
        reply = answer.reply
        work = []
        if wanted.classes:
            record = await self._models.record(answer.model)
            work.append(partial(tell_classes, reply, wanted.classes, record, answer.model, answer.version))
        if wanted.places:
            work.append(partial(put_down, reply, wanted.places, self._memory))
        is_large = reply.ByteSize() > AT_ONCE
        for each in work:
            if is_large:
                await asyncio.to_thread(each)
            else:
                each()
        return {one.name: wanted.places[one.name].told(len(one.data)) for one in reply.outputs
                if one.name in wanted.places}  # fmt: skip

    def _read(self, infer: InferMessage, places: list[Place | None]) -> None:
        for at, place in enumerate(places):
            if place is not None:
                infer.contents[at] = self._memory.read(place.region, place.offset, place.byte_size)

    def __repr__(self) -> str:
        return f"<Placing in {self._memory!r}>"


def wanted_of(told: Mapping[str, Mapping[str, Value]]) -> Wanted:
    """How outputs are wanted, by the parameters of each. Raises `InvalidRequest`."""
    places = {name: place for name, one in told.items() if (place := place_of(one, _named("Output", name))) is not None}
    classes = {name: count for name, one in told.items() if (count := classes_of(one, _named("Output", name)))}
    both = next(iter(places.keys() & classes.keys()), None)
    if both is not None:
        sentence = f"{_named('Output', both)} cannot be told by classes in shared memory: ask for one of both."
        raise InvalidRequest("bad_request", sentence)
    return Wanted(places, classes)


def _named(kind: str, name: str) -> str:
    return f"{kind} {brief(name)}"
