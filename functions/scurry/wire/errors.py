"""Every failure a caller can meet, each with its code on the wire.

    ScurryError
    ├── InvalidRequest      the caller must change the request
    │     bad_request input_name input_datatype input_rank input_shape input_value output_name
    │     payload_missing too_large id_conflict not_authenticated not_allowed not_offered
    ├── NotFound            nothing by that name
    │     model_not_found version_not_found result_not_found sequence_not_found
    ├── Unavailable         the same request may succeed later
    │     model_not_ready overloaded rate_limited deadline_exceeded unavailable
    └── Failed              the model or the system failed
          model_failed load_failed worker_lost already_answered internal
"""

from __future__ import annotations

from typing import ClassVar, Final


class ScurryError(Exception):
    """A failure with a stable `code` and one sentence that says what to do."""

    codes: ClassVar[frozenset[str]] = frozenset()
    retry_after: float = 0.0
    """Seconds after which whoever refused wants to be asked again; 0: nothing was said."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)  # both: an exception is pickled and copied by its arguments
        self.code = code
        self.message = message

    @property
    def retryable(self) -> bool:
        """Whether the work never ran, and the same request under the same id may succeed later."""
        return self.code in REFUSALS

    def kept(self) -> ScurryError:
        """The same to be kept: without the frames it was raised through, which hold whatever was being worked on."""
        return type(self)(self.code, self.message)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code}: {self.message}>"

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class InvalidRequest(ScurryError):
    """The caller must change the request."""

    codes = frozenset(
        {
            "bad_request",
            "input_name",
            "input_datatype",
            "input_rank",
            "input_shape",
            "input_value",
            "output_name",
            "payload_missing",
            "too_large",
            "id_conflict",
            "not_authenticated",
            "not_allowed",
            "not_offered",
        }
    )


class NotFound(ScurryError):
    """Nothing by that name."""

    codes = frozenset({"model_not_found", "version_not_found", "result_not_found", "sequence_not_found"})


class Unavailable(ScurryError):
    """The same request may succeed later."""

    codes = frozenset({"model_not_ready", "overloaded", "rate_limited", "deadline_exceeded", "unavailable"})


class Failed(ScurryError):
    """The model or the system failed."""

    codes = frozenset({"model_failed", "load_failed", "worker_lost", "already_answered", "internal"})


REFUSALS: Final = frozenset({"model_not_ready", "overloaded", "rate_limited", "unavailable"})
"""Codes that do not use an id up and may be different in a moment."""

_CLASSES: dict[str, type[ScurryError]] = {
    code: cls for cls in (InvalidRequest, NotFound, Unavailable, Failed) for code in cls.codes
}


def error(code: str, message: str) -> ScurryError:
    """The exception for a code that came over the wire; unknown codes become `Failed`."""
    return _CLASSES.get(code, Failed)(code, message)


def bad_message(what: str) -> InvalidRequest:
    """A registry message that is not as it should be; `what` begins with its field."""
    return InvalidRequest("bad_request", f"Registry message: {what}.")
