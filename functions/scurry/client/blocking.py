"""The client for code without an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypedDict, TypeVar, Unpack

from scurry.client.answers import Answer
from scurry.client.bodies import Parameters
from scurry.client.client import Client
from scurry.client.registry import Change
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import Update

if TYPE_CHECKING:
    import numpy.typing as npt

    from scurry.wire.tensors import Array

T = TypeVar("T")


class InferOptions(TypedDict, total=False):
    """What `Client.infer` may be told besides."""

    version: str
    outputs: Sequence[str]
    id: str
    timeout: float
    key: str
    keep: int | None
    parameters: Parameters | None
    bulk: bool
    priority: int
    tenant: str


class BlockingClient:
    """`Client` with one thread that runs its loop; any number of threads may call it."""

    def __init__(
        self,
        redis_url: str = "redis://127.0.0.1:6379/0",
        *,
        namespace: str = "scurry",
        name: str | None = None,
        separate_registry: bool = False,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scurry-client", daemon=True)
        self._thread.start()
        self._client = Client(redis_url, namespace=namespace, name=name, separate_registry=separate_registry)
        try:
            self._run(self._client.open())
        except BaseException:
            self._stop()
            raise

    def infer(
        self, model: str, inputs: Mapping[str, npt.ArrayLike], **options: Unpack[InferOptions]
    ) -> dict[str, Array]:
        """As `Client.infer`."""
        return self.infer_later(model, inputs, **options).result()

    def infer_later(
        self, model: str, inputs: Mapping[str, npt.ArrayLike], **options: Unpack[InferOptions]
    ) -> Future[dict[str, Array]]:
        """As `Client.infer`, but go on at once: `.result()` of what is returned waits for the outputs."""
        return self._start(self._client.infer(model, inputs, **options))

    def result(self, id: str) -> Answer:  # noqa: A002
        """As `Client.result`: the kept answer to a request sent under an id of the caller's own."""
        return self._run(self._client.result(id))

    def ask(self, model: str, request: InferRequest, *, version: str = "", timeout: float = 30.0) -> Answer:
        """As `Client.ask`."""
        return self._run(self._client.ask(model, request, version=version, timeout=timeout))

    def update(self, update: Update, *, timeout: float = 600.0) -> dict[str, Any]:
        """As `Client.update`."""
        return self._run(self._client.update(update, timeout=timeout))

    def models(self, *, limit: int = 0, after: str = "") -> dict[str, dict[str, Any]]:
        """As `Client.models`."""
        return self._run(self._client.models(limit=limit, after=after))

    def history(self, model: str, *, limit: int = 0) -> list[Change]:
        """As `Client.history`."""
        return self._run(self._client.history(model, limit=limit))

    def ping(self) -> None:
        """As `Client.ping`."""
        self._run(self._client.ping())

    def close(self) -> None:
        """Disconnect and end the thread."""
        if self._thread.is_alive():  # not in a forked process, whose parent closes it
            self._run(self._client.close())
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._start(work).result()

    def _start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        try:
            self._client.check_process()  # a forked process has no thread that would run it
        except RuntimeError:
            work.close()
            raise
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __repr__(self) -> str:
        return f"<BlockingClient of {self._client!r}>"
