"""HTTP to a gateway: a pool of connections, answers, errors with codes."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractStreamWriter

from scurry.wire.errors import ScurryError, Unavailable, error

WHOLE: Final = 64 * 1024
"""Up to this size a body leaves in one piece; above, copying its parts together would cost more."""
IDLE_S: Final = 30.0
"""A connection that was idle for so long is not used again: the gateway closes its own after 75 s."""
NONE: Final[Mapping[str, str]] = {}
NO_CODE: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "not_authenticated",
    HTTPStatus.FORBIDDEN: "not_allowed",
    HTTPStatus.NOT_FOUND: "bad_request",
    HTTPStatus.METHOD_NOT_ALLOWED: "not_offered",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "id_conflict",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limited",
    HTTPStatus.BAD_GATEWAY: "unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
    HTTPStatus.GATEWAY_TIMEOUT: "deadline_exceeded",
}
"""Codes for answers without one: of what stands between us and the gateway."""


class ConnectionLost(Unavailable):
    """There is no gateway, or it was gone before its answer came: nobody knows what became of the request."""


class HttpAnswer(NamedTuple):
    """A whole response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpLink:
    """Requests to one gateway; any number at a time, over no more than `connections`."""

    def __init__(self, url: str, *, connections: int) -> None:
        """Of a URL `http[s]://[user:password@]host[:port][/path]`; TLS with the options that `rediss://` has."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        if not parts.hostname:
            raise ValueError(f"A gateway's address is http://host:port or https://host:port, not {parts.scheme}://…")
        self.address = f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        basic = b64encode(f"{user}:{password}".encode()).decode()
        self._who = {"Authorization": f"Basic {basic}"} if user else {}
        tls = _tls(parts.query) if parts.scheme == "https" else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=IDLE_S, ssl=tls),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Disconnect; what is in flight fails."""
        await self._session.close()

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] = NONE,
        parts: Sequence[bytes | memoryview] = (),
        timeout: float,  # noqa: ASYNC109 - of this one request
    ) -> HttpAnswer:
        """One request and its response, whatever its status. Raises `Unavailable`."""
        if timeout <= 0:
            raise _late(path, timeout)
        url, lines, total = self.address + path, {**self._who, **headers}, aiohttp.ClientTimeout(total=timeout)
        try:
            async with self._session.request(
                method, url, headers=lines, data=_body(parts), timeout=total, allow_redirects=False
            ) as response:
                return HttpAnswer(response.status, response.headers, await response.read())
        except TimeoutError:
            raise _late(path, timeout) from None
        except (aiohttp.ClientError, OSError, RuntimeError) as cause:  # RuntimeError: it was closed meanwhile
            told = str(cause) or type(cause).__name__
            sentence = f"The gateway at {self.address} cannot be reached: {told}."
            raise ConnectionLost("unavailable", sentence) from None

    async def call(self, method: str, path: str, **options: Any) -> HttpAnswer:  # noqa: ANN401 - those of `send`
        """As `send`, but an error is raised: with the code that the gateway gave it."""
        answer = await self.send(method, path, **options)
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise error_of(answer)
        return answer

    def __repr__(self) -> str:
        return f"<HttpLink {self.address}>"


def error_of(answer: HttpAnswer) -> ScurryError:
    """What a response that is no success says."""
    try:
        told = orjson.loads(answer.body)
        code, sentence = told.get("code"), str(told["error"])
    except (ValueError, KeyError, AttributeError, TypeError):
        code, sentence = None, f"The answer has status {answer.status} and no error in it."
    fallback = "internal" if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request"
    failure = error(str(code or NO_CODE.get(answer.status, fallback)), sentence)
    failure.retry_after = retry_after(answer.headers)
    return failure


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a response asks to wait; 0 when it does not say, or says a date."""
    told = headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdecimal() and len(told) < 6 else 0.0


class Parts(aiohttp.Payload):
    """A body in pieces that are not copied together."""

    def __init__(self, parts: Sequence[bytes | memoryview]) -> None:
        super().__init__(parts)
        self._size = sum(map(len, parts))

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send every piece."""
        for part in self._value:
            await writer.write(part)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Tensors are no text."""
        raise TypeError(f"A body of tensors is not {encoding} text ({errors}).")


def _body(parts: Sequence[bytes | memoryview]) -> bytes | Parts | None:
    if not parts:
        return None
    return b"".join(parts) if sum(map(len, parts)) <= WHOLE else Parts(parts)


def _tls(query: str) -> ssl.SSLContext:
    told = {name: values[-1] for name, values in parse_qs(query).items()}
    context = ssl.create_default_context(cafile=told.get("ssl_ca_certs"))
    if told.get("ssl_cert_reqs") == "none":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if told.get("ssl_certfile"):
        context.load_cert_chain(told["ssl_certfile"], told.get("ssl_keyfile"))
    return context


def _late(path: str, seconds: float) -> Unavailable:
    return Unavailable("deadline_exceeded", f"No answer to {path} came within {max(seconds, 0):.3g} s.")
