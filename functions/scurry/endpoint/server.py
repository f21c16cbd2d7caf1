"""Functions behind HTTP: coalesced calls, StateFun's own, and health."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, cast

from aiohttp import web

from scurry.endpoint import frames, general
from scurry.endpoint.call import Call, Function
from scurry.endpoint.connection import Connection
from scurry.endpoint.exchange import Exchange
from scurry.endpoint.traffic import Served, Traffic
from scurry.telemetry.pages import scraped
from scurry.telemetry.process import own_figures
from scurry.telemetry.prometheus import Figure
from scurry.wire.names import CALLS_PATH

log = logging.getLogger(__name__)


BEAT_S: Final = 0.5
"""Pause between looks for exchanges that fell silent: none is silent for longer than twice this."""


class Endpoint:
    """The functions of one process, the exchanges that are open, and whether more are taken."""

    def __init__(self, functions: Sequence[Function], ready: Callable[[], bool]) -> None:
        self._functions = {function.typename: function for function in functions}
        self._ready = ready
        self._draining = False
        self._open: set[Exchange] = set()
        self._beats: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self.connections: set[Connection] = set()
        self.traffic = Traffic(tuple(self._functions))

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
            log.warning("%d exchanges outlasted the drain limit of %g s", len(self._open), limit_s)
        return not self._open

    async def exchange(self, body: bytes | memoryview, send: Callable[[bytes, bool], None]) -> None:
        """Answer the calls in a body, each as soon as it is done. Raises `BadFrames` before anything was sent."""
        calls = frames.split(body)
        self.traffic.received += len(body)
        exchange = Exchange(send)
        if self._draining:
            for index in range(len(calls)):
                exchange.put(index, frames.DRAINING, b"")
            exchange.seal()
            return
        self._enter(exchange)
        try:
            groups = self._accept(exchange, calls)
            exchange.seal()
            await _serve(groups, exchange, self.traffic)
        finally:
            self._leave(exchange)
            self.traffic.sent += exchange.sent

    def _accept(self, exchange: Exchange, parts: Sequence[memoryview]) -> dict[Function, list[Call]]:
        """Parse the calls and sort them by function; answer at once what no function can."""
        groups: dict[Function, list[Call]] = {}
        for index, part in enumerate(parts):
            try:
                call = Call.parse(part)
            except Exception:  # whatever it is that cannot be read, its neighbours are served
                exchange.put(index, frames.FAILED, f"Call {index} is not a ToFunction message.".encode())
                continue
            function = self._functions.get(call.function)
            if function is None:
                known = ", ".join(sorted(self._functions))
                sentence = f"Function {call.function!r} is not served here; {known} are."
                exchange.put(index, frames.FAILED, sentence.encode())
                continue
            exchange.expect(call, index)
            if function.state is not None and not call.select(function.state):
                exchange.done(call)
                continue
            groups.setdefault(function, []).append(call)
        return groups

    def figures(self) -> Iterable[Figure]:
        """What was asked so far, and what is under way."""
        return self.traffic.figures(len(self._open), len(self.connections))

    def _enter(self, exchange: Exchange) -> None:
        self._open.add(exchange)
        self._idle.clear()
        if self._beats is None:
            self._beats = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def _leave(self, exchange: Exchange) -> None:
        self._open.discard(exchange)
        if not self._open:
            self._idle.set()

    def _beat(self) -> None:
        """One timer for all exchanges; it rests while there is none."""
        self._beats = None
        for exchange in self._open:
            exchange.beat()
        if self._open:
            self._beats = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def __repr__(self) -> str:
        state = "draining" if self._draining else "ready" if self._ready() else "not ready"
        return f"<Endpoint {', '.join(self._functions)}: {state}, {len(self._open)} exchanges open>"


async def _serve(groups: dict[Function, list[Call]], exchange: Exchange, traffic: Traffic) -> None:
    """One function runs in this very task: a task of its own would cost more than many a call."""
    counts = traffic.functions
    turns = [_serve_one(function, calls, exchange, counts[function.typename]) for function, calls in groups.items()]
    if len(turns) == 1:
        await turns[0]
    elif turns:
        await asyncio.gather(*turns)


async def _serve_one(function: Function, calls: Sequence[Call], exchange: Exchange, served: Served) -> None:
    """Let the function answer its calls; what it leaves unanswered fails with a sentence."""
    since = time.perf_counter()
    try:
        await function.serve(calls, exchange.done)
    except Exception as failure:
        log.exception("%s failed with %d calls", function.typename, len(calls))
        served.failures += exchange.fail(calls, f"{function.typename} failed: {type(failure).__name__}: {failure}")
    else:
        served.failures += exchange.fail(calls, f"{function.typename} did not answer this call.")
    served.note(calls, time.perf_counter() - since)


ENDPOINT: Final = web.AppKey("endpoint", Endpoint)


def application(
    functions: Sequence[Function],
    *,
    ready: Callable[[], bool] = lambda: True,
    figures: Callable[[], Iterable[Figure]] = lambda: (),
) -> web.Application:
    """Everything a StateFun job needs to reach `functions`; `ready` tells whether they can serve.

    `/metrics` has what the endpoint itself counts, and these figures.
    """
    endpoint = Endpoint(functions, ready)

    async def healthz(_: web.Request) -> web.Response:
        return _health("alive", True)

    async def readyz(_: web.Request) -> web.Response:
        return _health("ready", endpoint.ready)

    async def metrics(_: web.Request) -> web.Response:
        return scraped([*own_figures(), *endpoint.figures(), *figures()])

    app = web.Application(client_max_size=frames.MAX_BODY)
    app[ENDPOINT] = endpoint
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    app.router.add_post(CALLS_PATH, partial(general.coalesced, endpoint))
    app.router.add_post("/{tail:.*}", partial(general.plain, endpoint))
    app.on_shutdown.append(_hang_up)
    return app


async def _hang_up(app: web.Application) -> None:
    for connection in tuple(app[ENDPOINT].connections):
        connection.close()


def _health(word: str, fine: bool) -> web.Response:
    return web.Response(status=200 if fine else 503, text=json.dumps({word: fine}), content_type="application/json")


class _Site(web.BaseSite):
    """Listens for connections of ours."""

    def __init__(self, runner: web.AppRunner, host: str, port: int, context: ssl.SSLContext | None) -> None:
        super().__init__(runner, ssl_context=context, backlog=1024)
        self._host, self._port = host, port

    @property
    def name(self) -> str:
        """Its address."""
        return f"http{'s' if self._ssl_context else ''}://{self._host}:{self._port}"

    async def start(self) -> None:
        """Open the port."""
        await super().start()
        runner = cast("web.AppRunner", self._runner)
        endpoint, other = runner.app[ENDPOINT], runner.server
        assert other is not None, "the runner is set up"
        context = self._ssl_context
        made = partial(Connection, endpoint, other, asked=_asks(context))
        self._server = await asyncio.get_running_loop().create_server(
            made, self._host, self._port, backlog=self._backlog, ssl=context
        )


def _asks(context: ssl.SSLContext | None) -> bool:
    """Whether callers are asked for a certificate."""
    return context is not None and context.verify_mode is not ssl.CERT_NONE


async def listen(
    app: web.Application, host: str, port: int, *, context: ssl.SSLContext | None = None
) -> tuple[web.AppRunner, int]:
    """Serve the application; returns what to clean up and the port, which was free if 0 was asked for.

    Where `context` asks for a certificate, one who shows none sees the pages for probes and Prometheus alone.
    """
    if _asks(context):
        app.middlewares.append(general.known)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, keepalive_timeout=3600)
    await runner.setup()
    await _Site(runner, host, port, context).start()
    return runner, int(runner.addresses[0][1])
