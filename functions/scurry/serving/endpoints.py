"""Where a process of ours listens for the job, over TLS if it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from scurry.endpoint.server import listen
from scurry.serving.rereading import look_for_ever
from scurry.serving.tls import rereadings, tls_of

if TYPE_CHECKING:
    from aiohttp import web

    from scurry.settings import FunctionsSettings, WorkerSettings


async def opened(app: web.Application, settings: FunctionsSettings | WorkerSettings) -> tuple[web.AppRunner, str]:
    """Listen; returns what to clean up, and the URL. Certificates are read again until then.

    Raises `OSError` for a port that is taken, `InvalidSettings` for certificates that do not do.
    """
    tls = tls_of(settings, pages=True)
    looking = asyncio.create_task(look_for_ever(rereadings(tls)))

    async def look_no_more(_: web.Application) -> None:
        looking.cancel()

    app.on_cleanup.append(look_no_more)
    runner, port = await listen(app, settings.host, settings.port, context=tls.context() if tls else None)
    return runner, f"http{'s' if tls else ''}://{settings.host}:{port}"
