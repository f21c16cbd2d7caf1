"""What an endpoint was asked, counted by function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from scurry.telemetry.prometheus import Figure, Histogram

if TYPE_CHECKING:
    from scurry.endpoint.call import Call

SIZES: Final = tuple(1 << power for power in range(11))
SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Served:
    """Counts of one function."""

    __slots__ = ("failures", "seconds", "sizes")

    def __init__(self) -> None:
        self.sizes, self.seconds, self.failures = Histogram(SIZES), Histogram(SECONDS), 0

    def note(self, calls: Sequence[Call], seconds: float) -> None:
        """Calls that travelled together took so long, from their arrival until the last was answered."""
        self.seconds.note(seconds)
        for call in calls:
            self.sizes.note(len(call.messages))

    def __repr__(self) -> str:
        return f"<Served {sum(self.sizes.counts)} calls, {self.failures} failures>"


class Traffic:
    """Counts of all functions, and of what was read and written for them."""

    def __init__(self, functions: Sequence[str]) -> None:
        self.functions = {name: Served() for name in functions}
        self.received = self.sent = 0

    def figures(self, exchanges: int, connections: int) -> Iterator[Figure]:
        """All of it, and how many exchanges and connections are open."""
        for name, served in self.functions.items():
            labels = (("function", name),)
            yield from served.sizes.figures("scurry_function_batch_messages", "Messages that a call brought", labels)
            yield from served.seconds.figures(
                "scurry_function_seconds", "From the arrival of calls until the last that came with them was answered",
                labels,
            )  # fmt: skip
            failed = "Calls that were left unanswered, or whose function failed"
            yield Figure("scurry_function_failures_total", "counter", failed, served.failures, labels)
        yield Figure("scurry_endpoint_open_exchanges", "gauge", "HTTP requests of the job being answered", exchanges)
        yield Figure("scurry_endpoint_connections", "gauge", "Connections of the job", connections)
        yield Figure("scurry_endpoint_received_bytes_total", "counter", "Bytes of calls", self.received)
        yield Figure("scurry_endpoint_sent_bytes_total", "counter", "Bytes of answers", self.sent)

    def __repr__(self) -> str:
        return f"<Traffic {self.functions!r}>"
