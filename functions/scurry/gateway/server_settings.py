"""Triton's settings of traces and logs: kept here and told again.

They are those of one process, answered so that tools which ask for them go on. They change nothing: how much is logged
is `--log-level`, and what is traced is up to the caller's `traceparent`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from scurry.wire.errors import InvalidRequest

Settings = dict[str, Any]

LEVELS: Final = ("OFF", "TIMESTAMPS", "TENSORS")
READ_ONLY: Final = {"trace_file": "trace file location", "trace_mode": "trace mode", "log_file": "log file location"}
TRACE: Final[Settings] = {
    "trace_level": ["OFF"], "trace_rate": "1000", "trace_count": "-1", "log_frequency": "0", "trace_file": "",
    "trace_mode": "triton",
}  # fmt: skip
LOG: Final[Settings] = {
    "log_file": "", "log_info": True, "log_warning": True, "log_error": True, "log_verbose_level": 0,
    "log_format": "default",
}  # fmt: skip
MOST_MODELS: Final = 1024
"""Models with trace settings of their own."""


class ServerSettings:
    """The settings as they were set last; a model has the server's where it has none of its own."""

    def __init__(self) -> None:
        self._log: Settings = {}
        self._trace: Settings = {}
        self._of_model: dict[str, Settings] = {}

    def log(self) -> Settings:
        """What is set for logs."""
        return LOG | self._log

    def set_log(self, changes: Mapping[str, object]) -> Settings:
        """Change some, and tell all; None leaves one as it is. Raises `InvalidRequest`, and changes nothing then."""
        wanted = {name: value for name, value in changes.items() if value is not None or name not in LOG}
        self._log |= {name: _read(_LOG, name, value) for name, value in wanted.items()}
        return self.log()

    def trace(self, model: str = "") -> Settings:
        """What is set for traces, of the server or of a model."""
        return TRACE | self._trace | self._of_model.get(model, {})

    def set_trace(self, changes: Mapping[str, object], model: str = "") -> Settings:
        """Change some, and tell all; None clears one. Raises `InvalidRequest`, and changes nothing then."""
        read = {name: None if _is_cleared(name, one) else _read(_TRACE, name, one) for name, one in changes.items()}
        before = self._of_model.get(model, {}) if model else self._trace
        after = {name: value for name, value in (before | read).items() if value is not None}
        if not model:
            self._trace = after
        elif after and (model in self._of_model or len(self._of_model) < MOST_MODELS):
            self._of_model[model] = after
        elif after:
            sentence = f"{MOST_MODELS} models have trace settings of their own, which is the limit: clear some."
            raise InvalidRequest("bad_request", sentence)
        else:
            self._of_model.pop(model, None)
        return self.trace(model)

    def __repr__(self) -> str:
        return f"<ServerSettings {len(self._log) + len(self._trace)} set, and for {len(self._of_model)} models>"


def _is_cleared(name: str, value: object) -> bool:
    return value in (None, []) and name in TRACE and name not in READ_ONLY


def _read(readers: Mapping[str, Callable[[str, object], Any]], name: str, value: object) -> object:
    if name in READ_ONLY and (name in TRACE) == (readers is _TRACE):
        raise InvalidRequest("bad_request", f"{READ_ONLY[name]} can not be updated through network protocol")
    if name not in readers:
        raise InvalidRequest("bad_request", f"There is no setting {name[:64]!r}; there are {', '.join(readers)}.")
    return readers[name](name, value)


def _levels(name: str, value: object) -> list[str]:
    given = value if isinstance(value, list) else [value]
    if not given or not all(isinstance(one, str) and one in LEVELS for one in given):
        raise InvalidRequest("bad_request", f"{name} must be a list of {', '.join(LEVELS)}.")
    if "OFF" in given and len(given) > 1:
        raise InvalidRequest("bad_request", "Expect only one trace level 'OFF' is specified")
    return [level for level in LEVELS if level in given]


def _number(least: int) -> Callable[[str, object], str]:
    """Triton's clients send these numbers as texts, over gRPC in a list of one."""

    def read(name: str, value: object) -> str:
        one = value[0] if isinstance(value, list) and len(value) == 1 else value
        text = str(one) if isinstance(one, int | str) and not isinstance(one, bool) else ""
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 11 and least <= int(text) < 2**31):
            raise InvalidRequest("bad_request", f"Unable to parse {name!r}: it takes a whole number from {least}.")
        return str(int(text))

    return read


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidRequest("bad_request", f"{name} must be true or false.")


def _verbosity(name: str, value: object) -> int:
    return int(_number(0)(name, value))


def _format(name: str, value: object) -> str:
    if value in ("default", "ISO8601"):
        return str(value)
    raise InvalidRequest("bad_request", f"{name} must be 'default' or 'ISO8601'.")


_TRACE: Final[dict[str, Callable[[str, object], Any]]] = {
    "trace_level": _levels, "trace_rate": _number(0), "trace_count": _number(-1), "log_frequency": _number(0),
}  # fmt: skip
_LOG: Final[dict[str, Callable[[str, object], Any]]] = {
    "log_info": _flag, "log_warning": _flag, "log_error": _flag, "log_verbose_level": _verbosity, "log_format": _format,
}  # fmt: skip
