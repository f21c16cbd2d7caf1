"""Structured logs: one line for each event, key=value pairs or JSON.

Lines that concern a request have its id as `request` and its model as `model`, in every process.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Final, TextIO

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class KeyValueFormatter(logging.Formatter):
    """`ts=… level=… process=… logger=… msg=…`, then what was given as `extra`."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the record holds."""
        return " ".join(f"{key}={quote(value)}" for key, value in self.pairs(record).items())

    def pairs(self, record: logging.LogRecord) -> dict[str, object]:
        """What the line says."""
        pairs: dict[str, object] = {
            "ts": timestamp(record.created),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        pairs.update((key, value) for key, value in record.__dict__.items() if key not in _STANDARD)
        if record.exc_info:
            pairs["error"] = self.formatException(record.exc_info)
        return pairs


class JsonFormatter(KeyValueFormatter):
    """The same as one JSON object; numbers stay numbers."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the record holds."""
        return json.dumps(self.pairs(record), ensure_ascii=False, default=str)


def timestamp(seconds: float) -> str:
    """UTC time with milliseconds, as in RFC 3339."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03d}Z"


def quote(value: object) -> str:
    """The value as it stands after `key=`: quoted when a reader could not tell where it ends."""
    text = str(value)
    if text and all(char.isprintable() and char not in ' "=' for char in text):
        return text
    return json.dumps(text, ensure_ascii=False)


def about(request: str, model: str, **more: object) -> dict[str, object]:
    """What a line that concerns a request has as `extra`."""
    return {"request": request, "model": model, **more}


def configure_logging(
    process: str, level: str = "info", stream: TextIO | None = None, *, form: str = "text"
) -> None:
    """Send every log record of this process to stderr, as lines of key=value pairs or of JSON."""
    if level.lower() not in LEVELS:
        raise ValueError(f"Log level {level!r} is unknown; known are {', '.join(LEVELS)}.")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter((JsonFormatter if form == "json" else KeyValueFormatter)(process))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
