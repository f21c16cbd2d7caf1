"""New requests of one call: what arrived together leaves together."""

from __future__ import annotations

from collections.abc import Sequence

from scurry.router.routing_pass import RoutingPass
from scurry.wire.messages_pb2 import Request, Requests


class Arrived:
    """The requests of one or several messages, as they are and serialised."""

    __slots__ = ("_due", "_plain", "_raw", "_replayed", "requests")

    def __init__(self) -> None:
        self.requests: Sequence[Request] = ()
        self._raw: list[bytes] = []
        self._replayed = False
        self._plain = True
        self._due = 0

    def add(self, group: Requests, raw: bytes) -> None:
        """One more message, `raw` being the same serialised. Of plain requests the ingress told the first deadline."""
        if not self.requests:
            self.requests = group.requests  # as they came, because mostly there are no others
        else:
            self.requests = self.requests if isinstance(self.requests, list) else list(self.requests)
            self.requests.extend(group.requests)
        self._raw.append(raw)
        self._replayed |= group.replayed
        self._plain &= group.plain
        if group.first_deadline > 0 and (group.first_deadline < self._due or not self._due):
            self._due = group.first_deadline

    def dispatch(self, routing: RoutingPass) -> None:
        """Route them."""
        if self.requests:
            # serialised Requests joined are one Requests with all of theirs
            due = self._due if self._plain else None
            routing.dispatch(self.requests, b"".join(self._raw), replayed=self._replayed, due=due)

    def __repr__(self) -> str:
        return f"<Arrived {len(self.requests)} requests>"
