"""A function whose calls leave a span for each traced request in them."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from scurry.telemetry.tracing import distinct

if TYPE_CHECKING:
    from scurry.endpoint.call import Call, Function
    from scurry.telemetry.tracing import Tracing

log = logging.getLogger(__name__)

SAMPLED: Final = re.compile(rb"j7(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][13579bdf])")
"""`traceparent` as it stands in a serialised Request (field 13, 55 bytes), if its trace is kept."""


class Traced:
    """Serves as the function does. Messages are not parsed for it: a context is found in their bytes."""

    def __init__(self, function: Function, name: str, tracing: Tracing) -> None:
        self._function, self._name, self._tracing = function, name, tracing
        self.typename, self.state = function.typename, function.state

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Answer every call; a span ends when its call is answered."""
        since = time.time()

        def answered(call: Call) -> None:
            done(call)
            try:
                self._record(call, since)
            except Exception:  # the other calls are answered all the same
                log.exception("%r leaves no spans", call)

        await self._function.serve(calls, answered)

    def _record(self, call: Call, since: float) -> None:
        found = distinct(context.decode() for message in call.messages for context in SAMPLED.findall(message.value))
        told = {"scurry.function": call.function, "scurry.key": call.key, "scurry.messages": len(call.messages)}
        for context in found:
            self._tracing.record(self._name, context, told, since=since, until=time.time())

    def __repr__(self) -> str:
        return f"<Traced {self._function!r}>"
