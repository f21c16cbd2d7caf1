"""The client for code without an event loop.

Each method is that of the asynchronous class, run on a thread of its own: `blocking` takes its arguments, types and
docstring from there.
"""

from __future__ import annotations

import concurrent.futures
import functools
import itertools
import os
from collections.abc import Callable, Coroutine, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, Self, TypeVar, Unpack

from scurry.client.admin import Registry
from scurry.client.client import Client
from scurry.client.loop_thread import LoopThread
from scurry.client.pending import Pending
from scurry.client.streaming import StreamReply, check_in_flight
from scurry.wire.errors import ScurryError

if TYPE_CHECKING:
    from scurry.client.options import ClientOptions, InferOptions, Inputs, Outputs, StreamOptions

T = TypeVar("T")
P = ParamSpec("P")


class Facade(Protocol):
    """Stands for an object that lives on a loop's thread."""

    def run(self, method: str, args: tuple[object, ...], options: dict[str, Any]) -> Any:  # noqa: ANN401
        """What that object's method of this name returns in the end."""
        ...


def blocking(method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[Any, P], T]:
    """The same method of a façade, which returns when it is done."""

    @functools.wraps(method)
    def call(self: Facade, /, *args: P.args, **options: P.kwargs) -> T:
        found: T = self.run(method.__name__, args, options)
        return found

    return call


class BlockingClient:
    """`Client` on a thread that runs its loop; any thread may call it, also one whose own loop runs."""

    def __init__(self, url: str = "redis://127.0.0.1:6379/0", **options: Unpack[ClientOptions]) -> None:
        self._client = Client(url, **options)
        self._thread = LoopThread("scurry-client")
        try:
            self.do(self._client.open())
        except BaseException:
            self._thread.stop()
            raise

    @classmethod
    def from_env(cls, **options: Unpack[ClientOptions]) -> Self:
        """As `Client.from_env`."""
        from scurry.settings import client_options  # noqa: PLC0415 - only for those who use it

        return cls(**client_options(os.environ, options))

    infer = blocking(Client.infer)
    ask = blocking(Client.ask)
    result = blocking(Client.result)
    forget = blocking(Client.forget)
    live = blocking(Client.live)
    ready = blocking(Client.ready)
    ping = blocking(Client.ping)
    models = blocking(Client.models)
    record = blocking(Client.record)
    history = blocking(Client.history)
    events = blocking(Client.events)
    update = blocking(Client.update)
    announce = blocking(Client.announce)

    def infer_later(self, model: str, inputs: Inputs, **options: Unpack[InferOptions]) -> Future[Outputs]:
        """As `infer`, but go on at once: `.result()` of what is returned waits for the outputs."""
        return self._begin(self._client.infer(model, inputs, **options))

    def start(self, model: str, inputs: Inputs, **options: Unpack[InferOptions]) -> BlockingPending:
        """As `Client.start`: return once the request is taken."""
        return BlockingPending(self, self.do(self._client.start(model, inputs, **options)))

    def stream(
        self,
        model: str,
        inputs: Iterable[Inputs],
        *,
        in_flight: int = 64,
        ordered: bool = True,
        raise_errors: bool = False,
        **options: Unpack[StreamOptions],
    ) -> Generator[StreamReply, None, None]:
        """As `Client.stream`; the inputs are taken in the caller's own thread, as he takes answers."""
        check_in_flight(in_flight)
        numbered = enumerate(inputs)
        under_way: dict[Future[Outputs], int] = {}
        try:
            while True:
                for index, one in itertools.islice(numbered, in_flight - len(under_way)):
                    under_way[self.infer_later(model, one, **options)] = index
                if not under_way:
                    return
                done = next(iter(under_way)) if ordered else _first_of(under_way)
                reply = _reply(under_way.pop(done), done)
                if raise_errors and reply.error is not None:
                    raise reply.error
                yield reply
        finally:
            for future in under_way:
                future.cancel()

    @property
    def registry(self) -> BlockingRegistry:
        """What changes models: register, split, promote, …"""
        return BlockingRegistry(self, self._client.registry)

    def close(self) -> None:
        """Disconnect and end the thread."""
        if self._thread.is_alive():  # not in a forked process, whose parent closes it
            self.do(self._client.close())
            self._thread.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, method: str, args: tuple[object, ...], options: dict[str, Any]) -> Any:  # noqa: ANN401
        """What the client's method of this name returns."""
        return self.do(getattr(self._client, method)(*args, **options))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What some work on the client's loop comes to."""
        return self._thread.wait_for(self._checked(work))

    def _begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return self._thread.begin(self._checked(work))

    def _checked(self, work: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        try:
            self._client.check_process()  # a forked process has no thread that would run it
        except RuntimeError:
            work.close()
            raise
        return work

    def __repr__(self) -> str:
        return f"<BlockingClient of {self._client!r}>"


class BlockingPending:
    """A request that was taken; `result()` waits for its outputs."""

    def __init__(self, client: BlockingClient, pending: Pending) -> None:
        self._client, self._pending = client, pending
        self.id, self.model = pending.id, pending.model

    result = blocking(Pending.result)
    cancel = blocking(Pending.cancel)

    def done(self) -> bool:
        """As `Pending.done`."""
        return self._pending.done()

    def run(self, method: str, args: tuple[object, ...], options: dict[str, Any]) -> Any:  # noqa: ANN401
        """What the handle's method of this name returns."""
        return self._client.do(getattr(self._pending, method)(*args, **options))

    def __repr__(self) -> str:
        return f"<Blocking{repr(self._pending)[1:]}"


class BlockingRegistry:
    """`Registry` for code without an event loop."""

    def __init__(self, client: BlockingClient, registry: Registry) -> None:
        self._client, self._registry = client, registry

    register = blocking(Registry.register)
    unregister = blocking(Registry.unregister)
    alias = blocking(Registry.alias)
    split = blocking(Registry.split)
    promote = blocking(Registry.promote)
    rollback = blocking(Registry.rollback)
    shadow = blocking(Registry.shadow)
    rollout = blocking(Registry.rollout)
    abort_rollout = blocking(Registry.abort_rollout)
    policy = blocking(Registry.policy)
    limits = blocking(Registry.limits)
    lanes = blocking(Registry.lanes)
    load = blocking(Registry.load)
    unload = blocking(Registry.unload)
    pin = blocking(Registry.pin)
    record = blocking(Registry.record)
    models = blocking(Registry.models)
    history = blocking(Registry.history)
    export = blocking(Registry.export)
    apply = blocking(Registry.apply)

    def run(self, method: str, args: tuple[object, ...], options: dict[str, Any]) -> Any:  # noqa: ANN401
        """What the registry's method of this name returns."""
        return self._client.do(getattr(self._registry, method)(*args, **options))

    def __repr__(self) -> str:
        return f"<Blocking{repr(self._registry)[1:]}"


def _first_of(under_way: Iterable[Future[Outputs]]) -> Future[Outputs]:
    return concurrent.futures.wait(under_way, return_when=FIRST_COMPLETED).done.pop()


def _reply(index: int, done: Future[Outputs]) -> StreamReply:
    try:
        return StreamReply(index, done.result())
    except ScurryError as failure:
        return StreamReply(index, failure)
