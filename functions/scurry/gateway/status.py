"""Which HTTP and gRPC status stands for which error code.

The one table of this kind. gRPC statuses are named, not numbered, so that the HTTP door does not need grpc.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Status(NamedTuple):
    """One row: HTTP status, name of the gRPC status, and after how many seconds to try again (0: do not)."""

    http: int
    grpc: str
    retry_after: int = 0


STATUSES: Final[dict[str, Status]] = {
    # the caller must change the request
    "bad_request": Status(400, "INVALID_ARGUMENT"),
    "input_name": Status(400, "INVALID_ARGUMENT"),
    "input_datatype": Status(400, "INVALID_ARGUMENT"),
    "input_rank": Status(400, "INVALID_ARGUMENT"),
    "input_shape": Status(400, "INVALID_ARGUMENT"),
    "input_value": Status(400, "INVALID_ARGUMENT"),
    "output_name": Status(400, "INVALID_ARGUMENT"),
    "payload_missing": Status(400, "FAILED_PRECONDITION"),
    "too_large": Status(413, "RESOURCE_EXHAUSTED"),
    "id_conflict": Status(422, "ALREADY_EXISTS"),
    "not_authenticated": Status(401, "UNAUTHENTICATED"),
    "not_allowed": Status(403, "PERMISSION_DENIED"),
    "not_offered": Status(400, "UNIMPLEMENTED"),
    # nothing by that name
    "model_not_found": Status(404, "NOT_FOUND"),
    "version_not_found": Status(404, "NOT_FOUND"),
    "result_not_found": Status(404, "NOT_FOUND"),
    "sequence_not_found": Status(404, "NOT_FOUND"),
    # the same request may succeed later
    "model_not_ready": Status(503, "UNAVAILABLE", retry_after=1),
    "overloaded": Status(503, "UNAVAILABLE", retry_after=1),
    "rate_limited": Status(429, "RESOURCE_EXHAUSTED", retry_after=1),
    "unavailable": Status(503, "UNAVAILABLE", retry_after=2),
    "deadline_exceeded": Status(504, "DEADLINE_EXCEEDED"),
    # the model or the system failed
    "model_failed": Status(500, "INTERNAL"),
    "load_failed": Status(500, "FAILED_PRECONDITION"),
    "worker_lost": Status(500, "ABORTED"),
    "already_answered": Status(409, "ALREADY_EXISTS"),
    "internal": Status(500, "INTERNAL"),
}


def status_of(code: str) -> Status:
    """The row of a code; a code that is not ours is `internal`."""
    return STATUSES.get(code, STATUSES["internal"])
