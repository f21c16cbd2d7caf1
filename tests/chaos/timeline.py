"""What a name may have stood for, and when.

A change is under way between its sending and its answer: meanwhile a name may stand for the former and for the new.
A change that was never answered leaves both possible.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Span:
    """A meaning that a name may have between two times."""

    meaning: frozenset[Any]
    since: float
    until: float = math.inf


@dataclass(slots=True)
class Change:
    """A new meaning of a name that is under way."""

    new: Span
    old: list[Span] = field(default_factory=list)

    def settle(self, at: float, *, applied: bool) -> None:
        """The change was answered: from now on only one of both is possible."""
        for span in self.old if applied else [self.new]:
            span.until = min(span.until, at)


class Timeline:
    """Meanings of names over time; a name nobody spoke of means nothing."""

    def __init__(self) -> None:
        self._spans: defaultdict[Hashable, list[Span]] = defaultdict(list)
        self._lock = threading.Lock()

    def begin(self, name: Hashable, meaning: frozenset[Any], at: float) -> Change:
        """From now on the name may mean this as well."""
        with self._lock:
            spans = self._spans[name]
            if not spans:
                spans.append(Span(frozenset(), -math.inf))
            change = Change(Span(meaning, at), [span for span in spans if span.until > at])
            spans.append(change.new)
            return change

    def state(self, name: Hashable, meaning: frozenset[Any], at: float) -> None:
        """From now on the name means this."""
        self.begin(name, meaning, at).settle(at, applied=True)

    def reopen(self, since: float, until: float) -> None:
        """Changes that were answered after `since` are made a second time: what they ended may be met again."""
        with self._lock:
            for spans in self._spans.values():
                for span in spans:
                    if since <= span.until < until:
                        span.until = until

    def spans(self, name: Hashable, since: float, until: float) -> list[Span]:
        """Every meaning that was possible at some time between the two."""
        with self._lock:
            spans = self._spans.get(name, ())
            return [span for span in spans if span.since <= until and span.until >= since]

    def may_mean(self, name: Hashable, since: float, until: float) -> frozenset[Any]:
        """All that a request sent and answered at these times may have met."""
        return frozenset().union(*(span.meaning for span in self.spans(name, since, until)))

    def may_be_missing(self, name: Hashable, since: float, until: float) -> bool:
        """Whether the name stood for nothing at some time between the two, as far as anybody can know."""
        spans = self.spans(name, since, until)
        return not spans or not all(span.meaning for span in spans)
