"""Functions behind HTTP: coalesced calls, StateFun's own, and health."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web
from google.protobuf.message import DecodeError

from scurry.endpoint import frames
from scurry.endpoint.call import Call, Function
from scurry.endpoint.exchange import Exchange
from scurry.wire.names import CALLS_PATH

log = logging.getLogger(__name__)


class Endpoint:
    """The functions of one process, how many exchanges are open, and whether more are taken."""

    def __init__(self, functions: Sequence[Function], ready: Callable[[], bool]) -> None:
        self._functions = {function.typename: function for function in functions}
        self._ready = ready
        self._draining = False
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def ready(self) -> bool:
        """Able to serve and not about to leave."""
        return not self._draining and self._ready()

    async def drain(self, limit_s: float) -> bool:
        """Take no more calls and wait for those inside; False when they outlast the limit."""
        self._draining = True
        try:
            await asyncio.wait_for(self._idle.wait(), limit_s)
        except TimeoutError:
            log.warning("%d exchanges outlasted the drain limit of %g s", self._open, limit_s)
        return not self._open

    async def coalesced(self, request: web.Request) -> web.StreamResponse:
        """Answer many calls, each as soon as it is done."""
        body = await request.read()
        try:
            calls = frames.split(body)
        except frames.BadFrames as failure:
            return web.Response(status=400, text=str(failure))
        exchange = Exchange(request)
        if self._draining:
            for index in range(len(calls)):
                exchange.put(index, frames.DRAINING, b"")
            return await exchange.close()
        self._enter()
        try:
            exchange.open()
            await self._serve(self._accept(exchange, calls), exchange)
            return await exchange.close()
        finally:
            self._leave()

    async def plain(self, request: web.Request) -> web.StreamResponse:
        """Answer one call as StateFun sends it; its client repeats a call that was answered with 5xx."""
        body = await request.read()
        if self._draining:
            return web.Response(status=503, text="This process is about to leave.")
        exchange = Exchange(request)
        self._enter()
        try:
            await self._serve(self._accept(exchange, [memoryview(body)]), exchange)
        finally:
            self._leave()
        kind, payload = exchange.only()
        if kind != frames.ANSWER:
            return web.Response(status=500, body=payload, content_type="text/plain", charset="utf-8")
        return web.Response(body=payload, content_type="application/octet-stream")

    def _accept(self, exchange: Exchange, parts: Sequence[memoryview]) -> dict[Function, list[Call]]:
        """Parse the calls and sort them by function; answer at once what no function can."""
        groups: dict[Function, list[Call]] = {}
        for index, part in enumerate(parts):
            try:
                call = Call.parse(part)
            except DecodeError:
                exchange.put(index, frames.FAILED, f"Call {index} is not a ToFunction message.".encode())
                continue
            function = self._functions.get(call.function)
            if function is None:
                exchange.put(index, frames.FAILED, self._not_served(call).encode())
                continue
            exchange.expect(call, index)
            if function.state is not None and not call.select(function.state):
                exchange.done(call)
                continue
            groups.setdefault(function, []).append(call)
        return groups

    def _not_served(self, call: Call) -> str:
        known = ", ".join(sorted(self._functions))
        return f"Function {call.function!r} is not served here; {known} are."

    async def _serve(self, groups: dict[Function, list[Call]], exchange: Exchange) -> None:
        """One function runs in this very task, so that one that never waits costs no turn of the loop."""
        turns = [_serve_one(function, calls, exchange) for function, calls in groups.items()]
        if len(turns) == 1:
            await turns[0]
        elif turns:
            await asyncio.gather(*turns)

    def _enter(self) -> None:
        self._open += 1
        self._idle.clear()

    def _leave(self) -> None:
        self._open -= 1
        if not self._open:
            self._idle.set()

    def __repr__(self) -> str:
        state = "draining" if self._draining else "ready" if self._ready() else "not ready"
        return f"<Endpoint {', '.join(self._functions)}: {state}, {self._open} exchanges open>"


async def _serve_one(function: Function, calls: Sequence[Call], exchange: Exchange) -> None:
    """Let the function answer its calls; what it leaves unanswered fails with a sentence."""
    try:
        await function.serve(calls, exchange.done)
    except Exception as failure:
        log.exception("%s failed with %d calls", function.typename, len(calls))
        exchange.fail(calls, f"{function.typename} failed: {type(failure).__name__}: {failure}")
    else:
        exchange.fail(calls, f"{function.typename} did not answer this call.")


ENDPOINT: Final = web.AppKey("endpoint", Endpoint)


def application(functions: Sequence[Function], *, ready: Callable[[], bool] = lambda: True) -> web.Application:
    """Everything a StateFun job needs to reach `functions`; `ready` tells whether they can serve."""
    endpoint = Endpoint(functions, ready)

    async def healthz(_: web.Request) -> web.Response:
        return _health("alive", True)

    async def readyz(_: web.Request) -> web.Response:
        return _health("ready", endpoint.ready)

    app = web.Application(client_max_size=0)
    app[ENDPOINT] = endpoint
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_post(CALLS_PATH, endpoint.coalesced)
    app.router.add_post("/{tail:.*}", endpoint.plain)
    return app


def _health(word: str, fine: bool) -> web.Response:
    return web.Response(status=200 if fine else 503, text=json.dumps({word: fine}), content_type="application/json")


async def listen(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve the application; returns what to clean up and the port, which was free if 0 was asked for."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, keepalive_timeout=3600)
    await runner.setup()
    await web.TCPSite(runner, host, port, backlog=1024).start()
    return runner, int(runner.addresses[0][1])
