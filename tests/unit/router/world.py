"""Workers and a registry around one router, who do whatever chance says."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from tests.unit.router.asking import NOW, Outcome, serve

from scurry.endpoint.call import Message
from scurry.wire.addresses import Lane, Solo, parse
from scurry.wire.messages_pb2 import (
    Bounced,
    Counted,
    Done,
    Drained,
    Expire,
    LanesLook,
    ModelSpec,
    Request,
    Requests,
    RouterState,
    Routes,
    Tell,
    VersionRoute,
)
from scurry.wire.names import INFERENCE, ROUTER


class World:
    """The state of a router, the mail that its workers have, and what came of each request."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.now = NOW
        self.state: bytes | None = None
        self.mail: dict[str, list[Requests]] = {}  # of each address, in order
        self.delayed: list[tuple[int, Any]] = []
        self.asked: dict[str, Request] = {}
        self.answers: Counter[str] = Counter()
        self.codes: dict[str, str] = {}
        self.epoch = 0
        self.generation = 0
        self.generations: dict[str, int] = {}
        self.told: list[Counted] = []  # what the registry heard
        self.unreported: dict[str, int] = {}  # requests that a lane answered and has not reported

    async def tell(self, *messages: Any) -> Outcome:
        """One call of the router; what goes in comes out exactly once, as an answer or on its way."""
        out = await serve(self.state, *messages, now=self.now)
        self._expects_news(self.counters, RouterState.FromString(out.state or b""))
        self.state = out.state
        going: Counter[str] = Counter()
        for to, key, value in out.sent:
            if to == INFERENCE:
                self.mail.setdefault(key, []).append(value)
                for request in value.requests:
                    going[request.id] += 1
                    self.asked[request.id].deadline = request.deadline  # it may have got one
            elif isinstance(value, Counted):
                self.told.append(value)
        for delay, _, value in out.delayed:
            self.delayed.append((self.now + delay, value))
            if isinstance(value, Requests):
                going.update(request.id for request in value.requests)
        self._answer(out)
        came = _requests_in(messages)
        if not any(isinstance(_value(message), Expire) for message in messages):
            outcome = going + Counter(reply.id for reply in out.replies)
            assert outcome == came, "a request gets exactly one of answer, way and pause"
        return out

    @staticmethod
    def _expects_news(before: RouterState, after: RouterState) -> None:
        """What refuses for want of room has asked when there will be some: else it would refuse for ever."""
        refused = {counters.version: counters.refused for counters in before.versions}
        for counters in after.versions:
            if counters.refused > refused.get(counters.version, 0):
                news = zip(counters.asked, counters.done, strict=True)
                assert any(asked > done for asked, done in news), counters

    def _answer(self, out: Outcome) -> None:
        for reply in out.replies:
            self.answers[reply.id] += 1
            self.codes.setdefault(reply.id, reply.error)

    async def ask(self) -> None:
        """Some requests, for any version or none, with a deadline or without."""
        requests = Requests()
        for _ in range(self.chance.choice([1, 1, 2, 5, 40, 300])):
            deadline = self.now + self.chance.choice([5, 700, 5_000, 60_000]) if self.chance.random() < 0.3 else 0
            request = requests.requests.add(id=f"r{len(self.asked)}", deadline=deadline)
            request.entry = f"s/{self.now}-{len(self.asked)}"
            request.bulk = self.chance.random() < 0.2
            request.priority, request.tenant = self.chance.choice([0, 0, 1, 2, 9]), self.chance.choice(["", "a", "b"])
            request.version = self.chance.choice(["", "", "", "1", "2", "latest", "9"])
            self.asked[request.id] = request
        await self.tell(requests)

    async def work(self) -> None:
        """A worker answers all the mail of one address as one call, and reports if it was asked."""
        if address := self._some_mail():
            await self._finish(address)

    async def _finish(self, address: str) -> None:
        pile = self.mail.pop(address)
        for batch in pile:
            for request in batch.requests:
                self.answers[request.id] += 1
                self.codes.setdefault(request.id, "")
        if not any(batch.report for batch in pile):
            self.unreported[address] = self.unreported.get(address, 0) + sum(len(batch.requests) for batch in pile)
        else:
            where, last = parse(address), max(batch.sequence for batch in pile)
            assert isinstance(where, Lane | Solo)
            lane = where.lane if isinstance(where, Lane) else -1
            busy = self.chance.choice([0, 100, 10_000_000])
            done = Done(version=where.version, lane=lane, sequence=last, busy_micros=busy, requests=len(pile))
            counted = self.unreported.pop(address, 0) + sum(len(batch.requests) for batch in pile)
            done.answered.add(ok=counted)
            again = Done()
            again.CopyFrom(done)
            again.ClearField("answered")
            await self.tell(done, *([again] if lane >= 0 and self.chance.random() < 0.1 else []))

    async def lose(self) -> None:
        """A worker is lost with the mail of one address."""
        if address := self._some_mail():
            executing, alone = self.chance.random() < 0.5, self.chance.random() < 0.5
            for batch in self.mail.pop(address):
                await self.tell(
                    Bounced(
                        message=batch.SerializeToString(), typename="scurry.v1/Requests", address=address,
                        executing=executing, alone=alone,
                    )
                )  # fmt: skip

    async def change(self) -> None:
        """Versions come, go, drain and are replaced."""
        self.epoch += 1
        routes = Routes(epoch=self.epoch, aliases={"latest": "2"})
        if self.chance.random() < 0.3:
            routes.max_timeout_microseconds = self.chance.choice([1, 30_000_000])
            routes.tenants["a"].rate, routes.tenants["a"].burst = self.chance.choice([0.1, 50.0]), 20
        for version in ("1", "2", "3"):
            if self.chance.random() < 0.3:
                self.generation += 1
                self.generations[version] = self.generation
            kind = self.chance.choice(["ready", "ready", "ready", "draining", "pending", "failed", "gone"])
            self._place(routes, version, kind)
        await self.tell(routes)

    def _place(self, routes: Routes, version: str, kind: str) -> None:
        spec = ModelSpec(generation=self.generations.get(version, 0), max_batch_size=8)
        if kind in ("ready", "draining"):
            weight = self.chance.choice([0, 1, 1])
            placed = VersionRoute(version=version, weight=weight, draining=kind == "draining", spec=spec)
            placed.lanes = self.chance.choice([0, 0, 1, 3])
            placed.most_lanes = placed.lanes and 4
            placed.priority_levels = placed.default_priority_level = self.chance.choice([0, 0, 2])
            placed.default_timeout_microseconds = self.chance.choice([0, 0, 900_000])
            routes.versions.append(placed)
        elif kind == "pending":
            routes.pending.append(version)
        elif kind == "failed":
            routes.failed.append(version)

    async def wait(self, ms: int) -> None:
        """Time passes, and what is due comes."""
        end = self.now + ms
        while due := [item for item in self.delayed if item[0] <= end]:
            first = min(due, key=lambda item: item[0])
            self.delayed.remove(first)
            self.now = max(self.now, first[0])
            value = first[1]
            mail = Message(f"scurry.v1/{type(value).__name__}", value.SerializeToString(), (ROUTER, "m"))
            await self.tell(mail)
        self.now = end

    async def settle(self) -> None:
        """Everything that is on its way arrives; all workers answer."""
        while self.mail or any(isinstance(value, Requests | Expire) for _, value in self.delayed):
            for address in list(self.mail):
                await self._finish(address)
            await self.wait(20_000)

    async def retire(self) -> None:
        """All versions drain: every lane says what it has finished."""
        self.epoch += 1
        routes = Routes(epoch=self.epoch)
        for counters in self.counters.versions:
            self._place(routes, counters.version, "draining")
        await self.tell(routes)
        await self.settle()

    def _some_mail(self) -> str:
        return self.chance.choice(sorted(self.mail)) if self.mail else ""

    @property
    def counters(self) -> RouterState:
        """What the router keeps."""
        return RouterState.FromString(self.state or b"")


def _value(message: Any) -> Any:
    if not isinstance(message, Message):
        return message
    kinds = {"Requests": Requests, "Expire": Expire, "Drained": Drained, "LanesLook": LanesLook, "Tell": Tell}
    kind = kinds[message.typename.removeprefix("scurry.v1/")]
    return kind.FromString(message.value)


def _requests_in(messages: tuple[Any, ...]) -> Counter[str]:
    found: Counter[str] = Counter()
    for message in map(_value, messages):
        if isinstance(message, Requests):
            found.update(request.id for request in message.requests)
        elif isinstance(message, Bounced):
            found.update(request.id for request in Requests.FromString(message.message).requests)
    return found
