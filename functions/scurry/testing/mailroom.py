"""StateFun in one process: mail between functions, state, delays.

An address has one call in flight; what arrives meanwhile is its next batch. Calls and answers are serialised as on
the wire. Time stands still until `advance` moves it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scurry.endpoint.call import DELETE, Call, Function, State
from scurry.endpoint.reqreply_pb2 import Address as WireAddress
from scurry.endpoint.reqreply_pb2 import FromFunction, ToFunction, TypedValue

Address = tuple[str, str]
"""namespace/type of a function, and the key."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message on its way, and who sent it."""

    to: Address
    typename: str
    value: bytes
    caller: Address | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """A call that its function did not answer: its messages, why, and whether it was served alone."""

    address: Address
    batch: Sequence[Mail]
    failure: Exception
    alone: bool


class Mailroom:
    """Delivers until nothing moves. `egress` takes what leaves, `lost` what a function left unanswered."""

    def __init__(
        self,
        functions: Sequence[Function],
        egress: Callable[[str, bytes], None],
        lost: Callable[[Lost], None],
        now: int,
    ) -> None:
        self.now_ms = now
        self.states: dict[Address, bytes] = {}
        self.sent: list[Mail] = []
        self._functions = {function.typename: function for function in functions}
        self._egress, self._lost = egress, lost
        self._mail: defaultdict[Address, list[Mail]] = defaultdict(list)
        self._flying: dict[Address, list[Mail]] = {}
        self._delayed: list[tuple[int, int, str, Mail]] = []
        self._kept = {function.typename: function.state for function in functions}  # or asked for by a call
        self._order, self._news = itertools.count(), asyncio.Event()

    def post(self, mail: Mail) -> None:
        """Put a message into the mail of its address."""
        if mail.to[0] not in self._functions:
            raise LookupError(f"no function {mail.to[0]!r} is here to take {mail.typename}")
        self.sent.append(mail)
        self._mail[mail.to].append(mail)
        self._news.set()

    def give_back(self, address: Address, batch: Sequence[Mail]) -> None:
        """The next call of an address brings these again, before what came meanwhile."""
        self._mail[address][:0] = batch

    @property
    def waiting(self) -> int:
        """Delayed messages that are not due."""
        return len(self._delayed)

    async def advance(self, ms: int) -> None:
        """Let time pass, and what is due arrive at its time."""
        end = self.now_ms + ms
        await self.run()
        while self._delayed and self._delayed[0][0] <= end:
            due, _, _, mail = heapq.heappop(self._delayed)
            self.now_ms = max(self.now_ms, due)
            self.post(mail)
            await self.run()
        self.now_ms = end

    async def run(self) -> None:
        """Deliver mail until there is none and no call is in flight. Raises what `lost` raises."""
        tasks: set[asyncio.Task[Any]] = set()
        while True:
            for typename, calls in self._take_off().items():
                tasks.add(asyncio.create_task(self._serve(self._functions[typename], calls)))
            if not tasks:
                return
            self._news.clear()
            news = asyncio.create_task(self._news.wait())
            finished, _ = await asyncio.wait({*tasks, news}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            for task in finished & tasks:
                task.result()
            tasks -= finished

    def _take_off(self) -> dict[str, list[Call]]:
        """One call for each address that has mail and none in flight, by function."""
        calls: defaultdict[str, list[Call]] = defaultdict(list)
        for address in [address for address in self._mail if address not in self._flying]:
            self._flying[address] = batch = self._mail.pop(address)
            calls[address[0]].append(_call(address, self._kept[address[0]], self.states.get(address), batch))
        return calls

    async def _serve(self, function: Function, calls: Sequence[Call]) -> None:
        """As endpoint and transport do: what is not answered is lost, the rest stands."""
        left = {(call.function, call.key): call for call in calls}

        def done(call: Call) -> None:
            if left.pop((call.function, call.key), None) is not None:
                self._land(call)

        failure: Exception = RuntimeError(f"{function.typename} did not answer.")
        try:
            await function.serve(calls, done)
        except Exception as caught:
            if not left:
                raise
            failure = caught
        for address in left:
            self._lost(Lost(address, self._flying.pop(address), failure, len(calls) == 1))

    def _land(self, call: Call) -> None:
        """Take a finished call apart: state first, then everything it says."""
        address = (call.function, call.key)
        batch, response = self._flying.pop(address), FromFunction.FromString(call.response.SerializeToString())
        for missing in response.incomplete_invocation_context.missing_values:
            self._kept[address[0]] = State(missing.state_name, missing.type_typename)
            self.give_back(address, batch)
        for mutation in (result := response.invocation_result).state_mutations:
            self.states.pop(address, None)
            if mutation.mutation_type != DELETE:
                self.states[address] = mutation.state_value.value
        for out in result.outgoing_messages:
            self.post(_mail(out, address))
        for later in result.delayed_invocations:
            self._delay(later, address)
        for egress in result.outgoing_egresses:
            self._egress(egress.argument.typename, egress.argument.value)

    def _delay(self, later: FromFunction.DelayedInvocation, address: Address) -> None:
        if later.is_cancellation_request:
            self._delayed = [item for item in self._delayed if item[2] != later.cancellation_token]
            heapq.heapify(self._delayed)
            return
        due, token = self.now_ms + later.delay_in_ms, later.cancellation_token
        heapq.heappush(self._delayed, (due, next(self._order), token, _mail(later, address)))

    def __repr__(self) -> str:
        mail = sum(len(batch) for batch in self._mail.values())
        return f"<Mailroom {', '.join(self._functions)}: {mail} in the mail, {self.waiting} delayed>"


def _call(address: Address, state: State | None, value: bytes | None, batch: Sequence[Mail]) -> Call:
    call = Call.parse(_to_function(address, state, value, batch))
    if state is not None:
        call.select(state)
    return call


def _to_function(address: Address, state: State | None, value: bytes | None, batch: Sequence[Mail]) -> bytes:
    out = ToFunction()
    request = out.invocation
    _address(request.target, address)
    if state is not None:
        kept = request.state.add(state_name=state.name)
        if value is not None:
            _typed(kept.state_value, state.typename, value)
    for mail in batch:
        item = request.invocations.add()
        _typed(item.argument, mail.typename, mail.value)
        if mail.caller is not None:
            _address(item.caller, mail.caller)
    return out.SerializeToString()


def _mail(out: FromFunction.Invocation | FromFunction.DelayedInvocation, caller: Address) -> Mail:
    to = (f"{out.target.namespace}/{out.target.type}", out.target.id)
    return Mail(to, out.argument.typename, out.argument.value, caller)


def _address(target: WireAddress, address: Address) -> None:
    target.namespace, _, target.type = address[0].partition("/")
    target.id = address[1]


def _typed(target: TypedValue, typename: str, value: bytes) -> None:
    target.typename, target.has_value, target.value = typename, True, value
