"""Methods of a gRPC service that take one message and give one.

What holds for all of them is done here: who may call, how many requests of a key there may be, how long a caller waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from google.protobuf.message import DecodeError, Message

from scurry.gateway.access import ANY_MODEL, ANYBODY, Access, Caller
from scurry.gateway.ask import told
from scurry.gateway.doors.grpc_call import GrpcCall
from scurry.gateway.doors.scopes import NOBODYS, Needed
from scurry.wire.errors import InvalidRequest, ScurryError

Method = Callable[[Any, GrpcCall, Caller], Awaitable[Message]]
"""Gives the answer to a message of a call. Raises `ScurryError`."""
Needs = Callable[[str, Any], Needed]
"""What a method's message needs its caller to be."""


class GrpcMethods:
    """Answers the calls of one service. Each method has its name, its kind of message, and who answers."""

    def __init__(
        self, service: str, methods: Mapping[str, tuple[type[Message], Method]], needs: Needs, access: Access
    ) -> None:
        self._service, self._methods, self._needs, self._access = service, methods, needs, access
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call. Never raises."""
        name = call.head.path.removeprefix(self._service)
        found = self._methods.get(name)
        if found is None:
            sentence = f"There is no method {call.head.path[:128]!r}: this port has {self._service.strip('/')}."
            call.refuse(InvalidRequest("not_offered", sentence))
            return
        task = asyncio.get_running_loop().create_task(self._answer(call, name, *found, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, call: GrpcCall, name: str, kind: type[Message], method: Method, message: bytes) -> None:
        try:
            async with asyncio.timeout(call.head.timeout_us / 1e6 or None):
                asked = kind.FromString(message)
                caller = self._caller(call, name, asked)
                with self._access.counted(caller):
                    answer = await method(asked, call, caller)
        except DecodeError:
            call.refuse(InvalidRequest("bad_request", f"The message is no {kind.DESCRIPTOR.name}."))
        except TimeoutError:
            call.refuse(ScurryError("deadline_exceeded", "There was no answer within the time that the caller gave."))
        except Exception as cause:
            call.refuse(told(cause))
        else:
            call.answer((answer.SerializeToString(),))

    def _caller(self, call: GrpcCall, name: str, asked: Message) -> Caller:
        """Who calls. Raises `not_authenticated` or `not_allowed`."""
        needed = self._needs(name, asked)
        call.model = "" if needed.model == ANY_MODEL else needed.model
        if needed.scope == NOBODYS:
            return ANYBODY
        return self._access.check(call.head.metadata, needed.scope, needed.model)

    def __repr__(self) -> str:
        return f"<GrpcMethods {self._service}: {len(self._tasks)} calls>"
