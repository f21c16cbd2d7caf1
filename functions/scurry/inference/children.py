"""The worker's side of its child processes.

A child is started when it is needed, kept for a while, and ended when it does not come back in time. That it died tells
what it was computing: nothing else was.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Final

from scurry.inference.child import ANSWER, HEAD, LENGTH, OPENED
from scurry.wire.errors import Failed, Unavailable, error
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import Load
from scurry.wire.tensors import Array, to_array, to_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.inference.fetched import Places
    from scurry.inference.loaded_model import Key
    from scurry.wire.messages_pb2 import ModelSpec

log = logging.getLogger(__name__)

EACH: Final = 1
"""Children at once for quick models, and for slow ones: those do not wait behind these."""
IDLE_SECONDS: Final = 60.0
"""A child that was not needed for so long is ended."""
OPEN_SECONDS: Final = 300.0
"""How long a child may take to start and to open a model."""
GIVEN_BYTES: Final = 256 << 20
"""What a child may take beyond the budget, for the framework."""


class Died(Exception):
    """The child ended while it computed."""


class Process:
    """One child process, one request at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, load: Load, request: InferRequest, limit: float) -> list[Array]:
        """What the model answers. Raises `ScurryError`, `Died`, or `TimeoutError` when it does not come back."""
        try:
            await asyncio.wait_for(self._send(load.SerializeToString(), request.SerializeToString()), OPEN_SECONDS)
            kind, payload = await asyncio.wait_for(self._read(), OPEN_SECONDS)
            if kind == OPENED:
                kind, payload = await asyncio.wait_for(self._read(), limit)
        except (ConnectionError, asyncio.IncompleteReadError):
            raise Died(f"it ended with status {await self._process.wait()}") from None
        if kind == ANSWER:
            return [to_array(tensor) for tensor in InferReply.FromString(payload).outputs]
        code, _, message = payload.decode().partition("\n")
        raise error(code, message)

    async def open(self, load: Load) -> None:
        """Open the model and no more. Raises `ScurryError`, `Died` or `TimeoutError`."""
        try:
            await self._send(load.SerializeToString(), b"")
            kind, payload = await asyncio.wait_for(self._read(), OPEN_SECONDS)
        except (ConnectionError, asyncio.IncompleteReadError):
            raise Died(f"it ended with status {await self._process.wait()}") from None
        if kind != OPENED:
            code, _, message = payload.decode().partition("\n")
            raise error(code, message)

    async def _send(self, *parts: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None, "it is a pipe"
        for part in parts:
            stdin.write(LENGTH.pack(len(part)))
            stdin.write(part)
        await stdin.drain()

    async def _read(self) -> tuple[int, bytes]:
        stdout = self._process.stdout
        assert stdout is not None, "it is a pipe"
        length, kind = HEAD.unpack(await stdout.readexactly(HEAD.size))
        return kind, await stdout.readexactly(length)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def end(self) -> None:
        """End it at once."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()  # closes what was open between us


class Children:
    """Child processes, started when needed."""

    def __init__(self, threads: int, memory: int, places: Places | None = None) -> None:
        self._arguments = [str(threads), str(memory + GIVEN_BYTES), *map(str, places or ())]
        self._rooms = {quick: asyncio.Semaphore(EACH) for quick in (True, False)}
        self._idle: list[Process] = []
        self._all: set[Process] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def run(
        self, key: Key, spec: ModelSpec, arrays: Sequence[Array], limit: float, *, quick: bool = False
    ) -> list[Array]:
        """Run a model once on its own. Raises `ScurryError`, `Died` or `TimeoutError`."""
        load = Load(model=key[0], version=key[1], spec=spec)
        request = InferRequest(inputs=[to_tensor("", array) for array in arrays])
        async with self._rooms[quick]:
            child = self._idle.pop() if self._idle else await self._start()
            kept = False
            try:
                outputs = await child.run(load, request, limit)
                kept = True
            except (Died, TimeoutError) as cause:
                log.warning(
                    "model %s version %s: child process %d is given up: %s", *key, child.pid, cause or "it hangs"
                )
                raise
            except Exception:
                kept = True
                raise
            finally:
                if kept:
                    self._keep(child)
                else:
                    await self._end(child)
        return outputs

    async def try_to_open(self, key: Key, spec: ModelSpec) -> None:
        """Open a model in a child that ends afterwards. Raises `load_failed`, also when that ends it."""
        async with self._rooms[False]:
            child = await self._start()
            try:
                await child.open(Load(model=key[0], version=key[1], spec=spec, apart=True))
            except (Died, TimeoutError) as cause:
                sentence = f"The process that opened it to try was lost: {str(cause) or 'it hangs'}."
                raise Failed("load_failed", sentence) from cause
            finally:
                await self._end(child)

    async def _start(self) -> Process:
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "scurry.inference.child", *self._arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        except OSError as cause:
            raise Unavailable("unavailable", f"The worker cannot start a child process: {cause}.") from cause
        child = Process(process)
        self._all.add(child)
        return child

    def _keep(self, child: Process) -> None:
        self._idle.append(child)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end_idle)

    def _end_idle(self) -> None:
        task = asyncio.get_running_loop().create_task(self._end_all(self._idle))
        self._idle = []
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, child: Process) -> None:
        await child.end()
        self._all.discard(child)

    async def _end_all(self, children: Sequence[Process]) -> None:
        for child in children:
            await self._end(child)

    async def close(self) -> None:
        """End them all."""
        if self._timer is not None:
            self._timer.cancel()
        self._idle = []
        await self._end_all(tuple(self._all))

    def __repr__(self) -> str:
        return f"<Children {len(self._all)} running, {len(self._idle)} idle>"
