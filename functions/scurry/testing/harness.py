"""The whole job in one process, without Flink, to test models with.

    harness = Harness(Inference(shelf, payloads))
    await harness.register("digits", "models/digits.onnx")
    answer = await harness.infer("digits", {"x": array})

Router and registry are there unless you bring your own. Time stands still until `advance` moves it.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, field, replace
from typing import Any, Final

from google.protobuf.message import Message

from scurry.endpoint.call import Function
from scurry.graph.function import Graphs
from scurry.registry.function import Registry
from scurry.router.function import Router
from scurry.router.policy import MOMENT_MS, Bounds
from scurry.testing.mailroom import Address, Lost, Mail, Mailroom
from scurry.wire.addresses import Sequence, parse
from scurry.wire.errors import error
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import (
    Audit,
    Bounced,
    DeadLetter,
    Released,
    Replies,
    Reply,
    Request,
    Requests,
    Update,
    View,
)
from scurry.wire.names import REGISTRY, ROUTER, TYPE_PREFIX
from scurry.wire.pools import pool_of
from scurry.wire.tensors import Array, to_array, to_tensor

START_MS: Final = 1_700_000_000_000
STEP_LOSSES: Final = 20
"""So often the transport asks for the steps of a sequence."""


@dataclass(slots=True)
class Outside:
    """What left the job: the first reply to each id, the registry's view, audit and dead letters."""

    replies: dict[str, Reply] = field(default_factory=dict)
    repeated: list[Reply] = field(default_factory=list)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    audits: list[Audit] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    released: list[Released] = field(default_factory=list)

    def take(self, typename: str, value: bytes) -> None:
        """Do as the egress does: the first reply to an id wins."""
        match typename.removeprefix(TYPE_PREFIX):
            case "Replies":
                for reply in Replies.FromString(value).replies:
                    self._reply(reply)
            case "Reply":
                self._reply(Reply.FromString(value))
            case "View":
                self._view(View.FromString(value))
            case "Audit":
                self.audits.append(Audit.FromString(value))
            case "Released":
                self.released.append(Released.FromString(value))
            case "DeadLetter":
                self.dead.append(DeadLetter.FromString(value))
            case _:
                raise LookupError(f"the egress takes no {typename}")

    def _reply(self, reply: Reply) -> None:
        if self.replies.setdefault(reply.id, reply) is not reply:
            self.repeated.append(reply)

    def _view(self, view: View) -> None:
        self.views.pop(view.model, None)
        if view.record:
            self.views[view.model] = json.loads(view.record)


class Harness:
    """Functions with their mail and state; `out` is what left, `sent` every message that was ever sent."""

    def __init__(self, *functions: Function, now_ms: int = START_MS) -> None:
        bound = tuple(function.typename for function in functions)
        own: list[Function] = [Router(self.clock, Bounds(functions=bound)), Registry(self.clock, bound), Graphs()]
        self.out = Outside()
        self._room = Mailroom([*own, *functions], self.out.take, self._bounce, now_ms)
        self._numbers = itertools.count(1)
        self._losses: Counter[str] = Counter()  # of calls of sequences

    def clock(self) -> int:
        """The harness' time in epoch milliseconds, for functions that ask."""
        return self._room.now_ms

    @property
    def sent(self) -> Several[Mail]:
        """Every message between functions, in order."""
        return self._room.sent

    @property
    def states(self) -> Mapping[Address, bytes]:
        """What each address keeps."""
        return self._room.states

    @property
    def waiting(self) -> int:
        """Delayed messages that are not due."""
        return self._room.waiting

    async def register(
        self, model: str, uri: str, version: str = "", runtime: str = "", config: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Register a model and return its record. Raises `ScurryError` when it does not get ready."""
        update = Update()
        update.register.version, update.register.uri, update.register.runtime = version, uri, runtime
        update.register.config = json.dumps(config) if config else ""
        return await self.update(model, update)

    async def update(self, model: str, change: Update | str) -> dict[str, Any]:
        """Apply a registry message, or the JSON of one, and return the model's record. Raises `ScurryError`."""
        update = Update(json=change) if isinstance(change, str) else change
        update.model, update.id = model, update.id or f"update-{next(self._numbers)}"
        self.send(REGISTRY, model, update)
        await self.run()
        record: dict[str, Any] = json.loads(self.reply(update.id).record)
        return record

    async def infer(
        self, model: str, inputs: Mapping[str, Array], version: str = "", key: str = ""
    ) -> dict[str, Array]:
        """Ask a model and return its outputs. Raises `ScurryError`."""
        asked = InferRequest(inputs=[to_tensor(name, array) for name, array in inputs.items()])
        request = self.request(model, body=asked.SerializeToString(), version=version, key=key)
        await self.ask(request)
        if request.id not in self.out.replies:
            await self.advance(MOMENT_MS)  # so long a request waits for news of a version that nobody knows
        answer = InferReply.FromString(self.reply(request.id).body)
        return {tensor.name: to_array(tensor) for tensor in answer.outputs}

    def request(self, model: str, **fields: Any) -> Request:  # noqa: ANN401
        """A request as the ingress would read it; an id is given to it unless it has one."""
        fields.setdefault("id", f"request-{next(self._numbers)}")
        return Request(model=model, entry=f"scurry:requests/{self.clock()}-{next(self._numbers)}", **fields)

    async def ask(self, *requests: Request) -> list[Reply | None]:
        """Let requests arrive together and the job run until it is idle; None for those not answered yet."""
        by_model: defaultdict[str, list[Request]] = defaultdict(list)
        for request in requests:
            by_model[request.model].append(request)
        for model, group in by_model.items():
            self.send(ROUTER, model, Requests(requests=group))
        await self.run()
        return [self.out.replies.get(request.id) for request in requests]

    def reply(self, request_id: str) -> Reply:
        """The reply to an id. Raises the error it carries, or `LookupError` when there is none yet."""
        reply = self.out.replies.get(request_id)
        if reply is None:
            raise LookupError(f"{request_id} is not answered yet; {self.waiting} messages wait for their time")
        if reply.error:
            raise error(reply.error, reply.message)
        return reply

    def send(self, function: str, key: str, message: Message, caller: Address | None = None) -> None:
        """Put a message into the mail of an address; nothing moves before `run`."""
        typename = f"{TYPE_PREFIX}{type(message).__name__}"
        self._room.post(Mail((function, key), typename, message.SerializeToString(), caller))

    async def run(self) -> None:
        """Deliver mail until there is none and no call is in flight."""
        await self._room.run()

    async def advance(self, ms: int) -> None:
        """Let time pass, and what is due arrive at its time."""
        await self._room.advance(ms)

    def _bounce(self, lost: Lost) -> None:
        """As the transport does: what a worker did not answer is asked again, or comes back to router or registry."""
        function, key = lost.address
        if not pool_of(function):
            raise lost.failure
        if isinstance(parse(key), Sequence) and self._losses[key] < STEP_LOSSES - 1:
            self._losses[key] += 1
            alone = Requests(solo=True).SerializeToString()
            self._room.give_back(lost.address, [replace(mail, value=mail.value + alone) for mail in lost.batch])
            return
        for mail in lost.batch:
            to = {"Load": REGISTRY, "Requests": ROUTER}.get(mail.typename.removeprefix(TYPE_PREFIX))
            if to is not None:
                bounced = Bounced(message=mail.value, typename=mail.typename, address=key, cause=f"{lost.failure}")
                bounced.executing, bounced.alone = True, lost.alone
                self.send(to, key.partition("@")[0], bounced, lost.address)

    def __repr__(self) -> str:
        return f"<Harness of {self._room!r}: {len(self.out.replies)} replies>"
