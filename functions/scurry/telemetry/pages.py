"""Pages for probes and Prometheus, on a port of their own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import web

from scurry.telemetry.prometheus import CONTENT_TYPE, page

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from scurry.telemetry.prometheus import Figure

    Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)


class Pages:
    """Answers `GET` of some paths."""

    def __init__(self, what: str, answers: Mapping[str, Answer]) -> None:
        """`what` they are, for the log."""
        self._what, self._answers = what, answers
        self._runner: web.AppRunner | None = None

    async def open(self, host: str, port: int, *, context: ssl.SSLContext | None = None) -> int:
        """Listen; returns the port. One that is taken is said and done without: who has pages works all the same."""
        app = web.Application()
        app.on_response_prepare.append(_unnamed)
        for path, answer in self._answers.items():
            app.router.add_get(path, answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, ssl_context=context).start()
        except OSError as cause:
            log.warning("%s are not served: %s", self._what, cause)
            return 0
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def __repr__(self) -> str:
        return f"<Pages: {self._what}, {'open' if self._runner else 'closed'}>"


def scraped(figures: Iterable[Figure]) -> web.Response:
    """Figures as Prometheus reads them."""
    return web.Response(body=page(figures).encode(), headers={"Content-Type": CONTENT_TYPE})


async def _unnamed(_: web.BaseRequest, response: web.StreamResponse) -> None:
    """Whoever looks for a server with a known hole is not told what we are made of."""
    response.headers.popall("Server", None)
    response.headers["X-Content-Type-Options"] = "nosniff"
