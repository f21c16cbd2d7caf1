"""What a gateway's address and its answers mean."""

from __future__ import annotations

import ssl

import orjson
import pytest

from scurry.client.http_link import HttpAnswer, HttpLink, Parts, error_of, retry_after
from scurry.wire.errors import Failed, InvalidRequest, NotFound, Unavailable


async def test_an_address_is_shown_without_secrets() -> None:
    """Nor with the options of TLS."""
    link = HttpLink("https://me:pass@h:8443/scurry/?ssl_cert_reqs=none", connections=1)
    assert (link.address, repr(link)) == ("https://h:8443/scurry", "<HttpLink https://h:8443/scurry>")
    await link.close()
    with pytest.raises(ValueError, match="http://host:port") as caught:
        HttpLink("http://me:pass@", connections=1)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize("query", ["ssl_ca_certs=/none.pem", "ssl_certfile=/none.pem"])
async def test_tls_takes_the_options_that_redis_takes(query: str) -> None:
    """Files are read when the client is opened."""
    with pytest.raises((FileNotFoundError, ssl.SSLError)):
        HttpLink(f"https://h?{query}", connections=1)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (404, {"error": "No.", "code": "version_not_found"}, NotFound, "version_not_found"),
        (503, {"error": "No.", "code": "overloaded"}, Unavailable, "overloaded"),
        (500, {"error": "No.", "code": "of the future"}, Failed, "of the future"),
        (503, b"<html>busy</html>", Unavailable, "unavailable"),
        (502, b"", Unavailable, "unavailable"),
        (504, b"", Unavailable, "deadline_exceeded"),
        (413, b"", InvalidRequest, "too_large"),
        (401, {"error": "Who?"}, InvalidRequest, "not_authenticated"),
        (418, b"[]", InvalidRequest, "bad_request"),
        (599, b"null", Failed, "internal"),
        (302, b"", InvalidRequest, "bad_request"),
    ],
)
def test_an_answer_that_is_no_success_is_an_error(
    status: int, body: bytes | dict[str, str], kind: type[Exception], code: str
) -> None:
    """By the code that stands in it, else by its status: a proxy knows no codes."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    failure = error_of(HttpAnswer(status, {"Retry-After": "3"}, raw))
    assert (type(failure), failure.code, failure.retry_after) == (kind, code, 3.0)


@pytest.mark.parametrize("told", ["", "Fri, 27 Nov 2026 00:00:00 GMT", "-1", "1e9", "²", "9" * 9])
def test_a_wait_that_is_no_number_is_none(told: str) -> None:
    """Seconds only."""
    assert retry_after({"Retry-After": told}) == 0.0


async def test_a_large_body_leaves_in_pieces() -> None:
    """None of them copied."""
    pieces = [b"a" * 10, memoryview(b"b" * 20)]
    written: list[object] = []

    class Writer:
        async def write(self, chunk: object) -> None:
            written.append(chunk)

    body = Parts(pieces)
    assert body.size == 30
    await body.write(Writer())  # type: ignore[arg-type]
    assert [id(one) for one in written] == [id(one) for one in pieces]
    with pytest.raises(TypeError):
        body.decode()
