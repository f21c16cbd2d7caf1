"""What a caller gets for whatever went wrong."""

from __future__ import annotations

import orjson
import pytest

from scurry.gateway.doors.paths import NoSuchPath
from scurry.gateway.doors.refusals import refused
from scurry.wire.errors import NotFound


@pytest.mark.parametrize(
    ("cause", "status", "code"),
    [
        (NotFound("model_not_found", "No model is called 'x'."), 404, "model_not_found"),
        (NoSuchPath(405, "'/x' answers GET, not PUT.", "GET"), 405, "bad_request"),
        (ZeroDivisionError("secret"), 500, "internal"),
    ],
)
def test_each_kind(cause: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture) -> None:
    """A sentence and a code; what is our fault is said in the log only."""
    reply = refused(cause, "/x")
    told = orjson.loads(reply.parts[0])
    assert (reply.status, told["code"]) == (status, code)
    assert ("secret" in caplog.text) == (status == 500)
    assert "secret" not in told["error"]
    assert (b"Allow: GET\r\n" in reply.head) == (status == 405)
