"""One turn of one function: its batch of messages and what it answers.

The names are those of StateFun's request-reply protocol: a *call* carries every message that waited for one
address, with the function's state, and is answered as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from scurry.endpoint.reqreply_pb2 import FromFunction, ToFunction

MODIFY = FromFunction.PersistedValueMutation.MODIFY
DELETE = FromFunction.PersistedValueMutation.DELETE
AFTER_WRITE = FromFunction.ExpirationSpec.AFTER_WRITE


@dataclass(frozen=True, slots=True)
class State:
    """The one state a function keeps per key."""

    name: str
    typename: str
    expire_ms: int = 0  # how long a value is kept that nobody writes; 0: for ever


NOTHING = (0, 0, 0, 0)
"""The mark of a call that has said nothing."""


class Message(NamedTuple):
    """A typed value and, unless it came from the ingress, who sent it."""

    typename: str
    value: bytes
    caller: tuple[str, str] | None = None  # (namespace/type, id)


class Call:
    """A batch for one address. Read `key`, `messages`, `state`; answer with `send`, `send_after`, `egress`, `keep`."""

    __slots__ = ("_result", "_states", "function", "key", "messages", "response", "state")

    def __init__(self, function: str, key: str, messages: Sequence[Message], state: bytes | None = None) -> None:
        self.function = function
        self.key = key
        self.messages = messages
        self.state = state
        self._states: dict[str, bytes | None] | None = None
        self.response = FromFunction()
        self._result = self.response.invocation_result
        self._result.SetInParent()

    @classmethod
    def parse(cls, data: bytes | memoryview) -> Call:
        """Read a serialised ToFunction. Raises `google.protobuf.message.DecodeError`."""
        batch = ToFunction.FromString(data).invocation  # type: ignore[arg-type]
        messages: list[Message] = []
        for item in batch.invocations:
            argument, caller = item.argument, None
            if item.HasField("caller"):
                sender = item.caller
                caller = (f"{sender.namespace}/{sender.type}", sender.id)
            messages.append(Message(argument.typename, argument.value, caller))
        target = batch.target
        call = cls(f"{target.namespace}/{target.type}", target.id, messages)
        call._states = states = {}
        for kept in batch.state:
            value = kept.state_value
            states[kept.state_name] = value.value if value.has_value else None
            if value.has_value and call.state is None:
                call.state = value.value
        return call

    def select(self, state: State) -> bool:
        """Make `state` the one this call reads; False, and answered with a request for it, when it did not travel."""
        if self._states is None:
            return True
        if state.name not in self._states:
            missing = self.response.incomplete_invocation_context.missing_values.add()
            missing.state_name, missing.type_typename = state.name, state.typename
            missing.expiration_spec.SetInParent()
            if state.expire_ms:
                missing.expiration_spec.mode = AFTER_WRITE
                missing.expiration_spec.expire_after_millis = state.expire_ms
            return False
        self.state = self._states[state.name]
        return True

    def send(self, function: str, key: str, typename: str, value: bytes) -> None:
        """Send a message to the function `namespace/type` with that key."""
        out = self._result.outgoing_messages.add()
        _fill(out, function, key, typename, value)

    def send_after(
        self, delay_ms: int, function: str, key: str, typename: str, value: bytes, *, token: str = ""
    ) -> None:
        """Send a message later; `token` allows to cancel it. The job would fail for ever at a delay below nothing."""
        out = self._result.delayed_invocations.add(delay_in_ms=max(0, delay_ms), cancellation_token=token)
        _fill(out, function, key, typename, value)

    def cancel(self, token: str) -> None:
        """Unsend the delayed message of that token."""
        self._result.delayed_invocations.add(is_cancellation_request=True, cancellation_token=token)

    def egress(self, egress: str, typename: str, value: bytes) -> None:
        """Hand a value to the egress `namespace/type`."""
        namespace, _, name = egress.partition("/")
        out = self._result.outgoing_egresses.add(egress_namespace=namespace, egress_type=name)
        _set(out.argument, typename, value)

    def keep(self, state: State, value: bytes | None) -> None:
        """Replace the function's state for this key; None deletes it."""
        mutation = self._result.state_mutations.add(
            mutation_type=DELETE if value is None else MODIFY, state_name=state.name
        )
        if value is not None:
            _set(mutation.state_value, state.typename, value)

    def mark(self) -> tuple[int, ...]:
        """How much was said so far; `undo` goes back to it."""
        return tuple(map(len, self._said))

    def undo(self, mark: tuple[int, ...]) -> None:
        """Unsay what was said after a mark."""
        for said, length in zip(self._said, mark, strict=True):
            del said[length:]

    @property
    def _said(self) -> tuple[MutableSequence[Any], ...]:
        result = self._result
        return (
            result.outgoing_messages,
            result.delayed_invocations,
            result.outgoing_egresses,
            result.state_mutations,
        )

    def __repr__(self) -> str:
        return f"<Call {self.function} {self.key!r} {len(self.messages)} messages>"


class Function(Protocol):
    """What an endpoint serves under one typename."""

    typename: str
    state: State | None

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Answer every call and hand each to `done` as soon as it is finished, in any order."""
        ...


def now_ms() -> int:
    """Epoch milliseconds, as deadlines are given."""
    return time.time_ns() // 1_000_000


def answer_each(calls: Sequence[Call], done: Callable[[Call], None], answer: Callable[[Call], None]) -> None:
    """Answer calls one after the other; one that raises is left unanswered and fails alone."""
    failures: list[Exception] = []
    for call in calls:
        try:
            answer(call)
        except Exception as failure:
            failure.add_note(f"in {call!r}")
            failures.append(failure)
        else:
            done(call)
    if failures:
        raise failures[0] if len(failures) == 1 else ExceptionGroup(f"{len(failures)} calls failed", failures)


def _fill(
    out: FromFunction.Invocation | FromFunction.DelayedInvocation, function: str, key: str, typename: str, value: bytes
) -> None:
    target = out.target
    target.namespace, _, target.type = function.partition("/")
    target.id = key
    _set(out.argument, typename, value)


def _set(argument: object, typename: str, value: bytes) -> None:
    argument.typename = typename  # type: ignore[attr-defined]
    argument.has_value = True  # type: ignore[attr-defined]
    argument.value = value  # type: ignore[attr-defined]
