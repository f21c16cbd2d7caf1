"""Results sent to where their callers want them, signed.

Only to URLs below those of the settings, and never to where a redirect or a private address behind a name would lead.
At least once, as long as this process lives: what it has promised is not written down. A result is kept all the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import random
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from scurry.gateway.results import Found, Results
from scurry.wire.errors import InvalidRequest, NotFound, ScurryError, error

AT_ONCE: Final = 16
"""Results that are sent at the same time; the others wait."""
MOST: Final = 10_000
"""Promises of one process; more are refused."""
TRIES: Final = 8
FIRST_S: Final = 1.0
LONGEST_S: Final = 60.0
SEND_S: Final = 10.0
SIGNATURE: Final = "Scurry-Signature"

Tell = Callable[[str, Found], Awaitable[bytes]]
"""The body that tells a result."""

log = logging.getLogger(__name__)


class Callbacks:
    """Waits for results and sends them. `allowed` are URLs with commas between; empty: none may be wished."""

    def __init__(self, results: Results, tell: Tell, *, allowed: str = "", secret: str = "") -> None:
        self._results = results
        self._tell = tell
        self._allowed = [urlsplit(one.strip()) for one in allowed.split(",") if one.strip()]
        self._secret = secret.encode()
        self._sending = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def check(self, url: str) -> None:
        """Raise `not_allowed` or `bad_request` for a URL to which nothing is sent; an empty one is none."""
        if not url:
            return
        if not self._allowed or not self._secret:
            sentence = "Scurry-Callback is off here: it needs SCURRY_CALLBACKS and SCURRY_CALLBACK_SECRET."
            raise InvalidRequest("not_allowed", sentence)
        if len(self._tasks) >= MOST:
            raise error("overloaded", f"{MOST} results wait to be sent already: try again, or fetch the result.")
        if not any(_is_below(_split(url), place) for place in self._allowed):
            raise InvalidRequest("not_allowed", "The URL in Scurry-Callback is not below one that is allowed here.")

    def promise(self, request_id: str, scope: str, url: str) -> None:
        """Send a result once it is there. The URL was checked."""
        task = asyncio.get_running_loop().create_task(self._keep(request_id, scope, url))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Send nothing more."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _keep(self, request_id: str, scope: str, url: str) -> None:
        end = time.monotonic() + self._results.seconds
        while time.monotonic() < end:
            try:
                found = await self._results.wait(request_id, scope, end - time.monotonic(), stays=True)
                if found.fields is not None:
                    await self._send(request_id, url, await self._tell(request_id, found))
                    return
            except NotFound:  # deleted, or expired
                return
            except ScurryError as cause:
                log.warning("cannot look for %s: %s", request_id, cause)
                await asyncio.sleep(FIRST_S)
            except Exception:
                log.exception("the result %s is not sent", request_id)
                return

    async def _send(self, request_id: str, url: str, body: bytes) -> None:
        """Until it is taken (2xx); what says that it never will be (other 4xx than 408 and 429) is not asked again."""
        for number in range(TRIES):
            async with self._sending:
                status = await self._post(request_id, url, body)
            if 200 <= status < 300:
                return
            if 300 <= status < 500 and status not in (408, 429):
                log.warning("the result %s was refused with %d by its receiver", request_id, status)
                return
            await asyncio.sleep(min(FIRST_S * 2**number, LONGEST_S) * random.uniform(0.5, 1.0))
        log.warning("the result %s could not be sent in %d tries", request_id, TRIES)

    async def _post(self, request_id: str, url: str, body: bytes) -> int:
        """The receiver's status; 0 when there is none."""
        if self._session is None:
            connector = aiohttp.TCPConnector(resolver=PublicResolver(), limit=AT_ONCE)
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(SEND_S))
        headers = {
            "Content-Type": "application/json",
            "Scurry-Result": request_id,
            SIGNATURE: signature(self._secret, int(time.time()), body),
        }
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, OSError, ValueError) as cause:  # TimeoutError is an OSError
            log.info("the result %s was not taken: %s", request_id, cause or type(cause).__name__)
            return 0

    def __repr__(self) -> str:
        return f"<Callbacks to {len(self._allowed)} places, {len(self._tasks)} promised>"


class PublicResolver(ThreadedResolver):
    """Finds no private address behind a name: those must be listed as what they are."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Public addresses of a name. Raises `OSError` when there is none."""
        found = await super().resolve(host, port, family)
        public = [one for one in found if ipaddress.ip_address(one["host"].partition("%")[0]).is_global]
        if not public:
            raise OSError(f"{host} has no public address")
        return public


def signature(secret: bytes, at: int, body: bytes) -> str:
    """`t=<epoch seconds>,v1=<hex>`: HMAC-SHA256 of the seconds, a dot and the body."""
    return f"t={at},v1={hmac.new(secret, b'%d.%b' % (at, body), hashlib.sha256).hexdigest()}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidRequest("bad_request", "Scurry-Callback is not a URL.") from None
    if not url.isascii() or not url.isprintable() or len(url) > 2048 or "\\" in url or " " in url:
        raise InvalidRequest("bad_request", "Scurry-Callback must be a URL of at most 2048 ASCII characters.")
    return parts


def _is_below(url: SplitResult, place: SplitResult) -> bool:
    """Same scheme, host and port, a path below, and nothing in it that another server might read differently."""
    if "@" in url.netloc or url.fragment or any(part in (".", "..") for part in unquote(url.path).split("/")):
        return False
    if (url.scheme, url.hostname, _port(url)) != (place.scheme, place.hostname, _port(place)):
        return False
    return url.path == place.path or url.path.startswith(place.path.rstrip("/") + "/")


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
