"""What an error reply of Redis means for the command that got it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PASSING: Final = frozenset({"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "UNBLOCKED"})
"""Refusals that end by themselves: the command has not run and is sent again after a pause."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error reply, taken apart. `node` is where the command belongs: `host:port`, host empty for the same."""

    text: str
    kind: str
    node: str = ""

    @classmethod
    def parse(cls, text: str) -> Refusal:
        """Take `MOVED 866 10.0.0.2:6379` and the like apart."""
        words = text.split(" ")
        if words[0] in ("MOVED", "ASK") and len(words) == 3 and words[2].rpartition(":")[2].isdecimal():
            return cls(text, words[0], words[2])
        return cls(text, words[0])

    @property
    def passes(self) -> bool:
        """Whether the same command will be served elsewhere, or later."""
        return bool(self.node) or self.kind in PASSING

    @property
    def asks(self) -> bool:
        """Whether only this one command belongs elsewhere."""
        return self.kind == "ASK" and bool(self.node)
