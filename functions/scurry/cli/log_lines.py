"""Which lines of a log are wanted: by request, model, level and time."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Final

from scurry.telemetry.logs import LEVELS, timestamp

_PAIR: Final = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')
_SINCE: Final = re.compile(r"(\d{1,9})(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What lines must say; what is empty is not asked."""

    request: str = ""
    model: str = ""
    level: str = ""
    since: str = ""  # a timestamp

    def __bool__(self) -> bool:
        return bool(self.request or self.model or self.level or self.since)

    def takes(self, line: str) -> bool:
        """Whether a line is wanted. One that is no line of ours (the job's, Redis') is, if it has the request's id."""
        said = fields_of(line)
        if not said:
            return bool(self.request) and self.request in line and not (self.model or self.level or self.since)
        return (
            (not self.request or said.get("request") == self.request)
            and (not self.model or said.get("model") == self.model)
            and (not self.level or _rank(said.get("level", "")) >= LEVELS.index(self.level))
            and (not self.since or said.get("ts", "") >= self.since)
        )


def fields_of(line: str) -> dict[str, str]:
    """What a line says, be it pairs or JSON; nothing if it is neither."""
    try:
        if line.startswith("{"):
            return {key: str(value) for key, value in json.loads(line).items()}
        if not line.startswith("ts="):
            return {}
        return {key: json.loads(text) if text[:1] == '"' else text for key, text in _PAIR.findall(line)}
    except ValueError:
        return {}


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def is_span(text: str) -> bool:
    """Whether a text is a span of time such as 10m."""
    return _SINCE.fullmatch(text) is not None


def ago(text: str, now: float | None = None) -> str:
    """The timestamp of so long ago."""
    found = _SINCE.fullmatch(text)
    assert found is not None, "it was checked"
    return timestamp((time.time() if now is None else now) - int(found[1]) * _SECONDS[found[2]])
