"""An event loop on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs what other threads hand it."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it runs; in a forked process it does not."""
        return self._thread.is_alive()

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work comes to. Who is interrupted waits no more, nor does the loop."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("This is the client's own thread, which cannot wait for itself: use scurry.Client here.")
        future = self.begin(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start some work."""
        if self._loop.is_closed():
            work.close()
            raise RuntimeError("The client is closed: open another.")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __repr__(self) -> str:
        return f"<LoopThread {self._thread.name}{'' if self.is_alive() else ', ended'}>"
