"""Push a folder of pictures through the queue, each answered once.

They go as bulk requests, so many on their way at a time. A picture's id is made of the model's registration and of the
picture's own bytes: after whatever stopped the first try, what was answered is taken from the results that are kept.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from scurry.cli import files
from scurry.cli.output import emit, note, progress, table
from scurry.client.arrays import unpack
from scurry.client.registry import version_of
from scurry.wire.errors import InvalidRequest, NotFound, ScurryError, Unavailable

if TYPE_CHECKING:
    from scurry.client.client import Client
    from scurry.wire.tensors import Array

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"})
"""What is taken for a picture, unless a pattern says what to take."""
KEPT_S: Final = 3600
"""How long an answer is kept for a second try."""
PAUSES: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds before what found no room is sent again."""


async def push(args: argparse.Namespace, asker: Client) -> int:
    """Ask for every picture; 1 when one has no answer."""
    found = pictures(Path(args.folder), args.glob)
    async with asker:
        record = await asker.record(args.name)
        if record is None:
            raise NotFound("model_not_found", f"No model {args.name!r} is registered.")
        version = version_of(record, args.version)
        if version is None or not version.get("signature"):
            raise NotFound("version_not_found", f"Model {args.name!r} has no version {args.version!r} that is ready.")
        with opened(args.out) as out:
            run = Push(asker, args, version, out, answered(args.out))
            async with progress(args, run.text):
                await run.all(found)
    if args.out or args.json is True:
        emit(args, run.summary(), run.table())
    else:
        note(run.table())  # the lines themselves went to stdout
    return 1 if run.counts["failed"] else 0


class Push:
    """One pass over a folder."""

    def __init__(
        self, asker: Client, args: argparse.Namespace, version: Mapping[str, Any], out: TextIO, known: set[str]
    ) -> None:
        self._asker, self._args, self._version, self._out, self._known = asker, args, version, out, known
        self._total, self._start = 0, time.monotonic()
        self.counts: Counter[str] = Counter()
        self.bytes = 0

    async def all(self, found: Sequence[Path]) -> None:
        """Every picture, so many at a time."""
        self._total, paths = len(found), iter(found)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._args.in_flight, self._total)):
                    group.create_task(self._some(paths))
        except BaseExceptionGroup as several:  # a disk that is full is full for all of them
            raise several.exceptions[0] from None

    async def _some(self, paths: Iterator[Path]) -> None:
        for path in paths:  # shared: each picture is taken by one
            await self._one(path)

    async def _one(self, path: Path) -> None:
        line: dict[str, Any] = {"file": str(path.relative_to(self._args.folder))}
        try:
            encoded = await asyncio.to_thread(files.read_picture, path)
            line["id"] = identity(self._args.name, self._version, encoded)
            if line["id"] in self._known:
                self.counts["known"] += 1
                return
            inputs = await asyncio.to_thread(files.prepared, path, encoded, self._version["signature"])
            outputs = await self._ask(inputs, line["id"])
            line["outputs"] = {output: files.listed(array) for output, array in outputs.items()}
            self.bytes += len(encoded)
        except ScurryError as failure:
            line |= {"error": failure.code, "message": failure.message}
            self.counts["failed"] += 1
        self._out.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        self._out.flush()

    async def _ask(self, inputs: Mapping[str, Array], request_id: str) -> dict[str, Array]:
        """The answer: the one that is kept, else a new one. What finds no room, or nobody, is sent again."""
        pauses = iter(PAUSES)
        while True:
            try:
                with contextlib.suppress(NotFound, Unavailable):  # a refusal is kept too, and uses no id up
                    kept = unpack((await self._asker.result(request_id)).reply)
                    self.counts["known"] += 1
                    return kept
                outputs = await self._asker.infer(
                    self._args.name, inputs, version=self._version["version"], id=request_id,
                    timeout=self._args.timeout, keep=KEPT_S, bulk=True, tenant=self._args.tenant,
                )  # fmt: skip
                self.counts["answered"] += 1
            except Unavailable:
                pause = next(pauses, None)
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return outputs

    def text(self) -> str:
        """How far it is."""
        done = self.counts.total()
        return f"{done} of {self._total} pictures, {self.counts['failed']} failed, {self._rate():.0f} answers/s"

    def summary(self) -> dict[str, Any]:
        """For machines."""
        counts = {name: self.counts[name] for name in ("answered", "failed", "known")}
        seconds = round(time.monotonic() - self._start, 3)
        return {"files": self._total, **counts, "bytes": self.bytes, "seconds": seconds, "rate": round(self._rate(), 1)}

    def table(self) -> str:
        """For people."""
        told = self.summary()
        headers = ("PICTURES", "ANSWERED", "FAILED", "KNOWN", "MB", "SECONDS", "PER SECOND")
        row = (told["files"], told["answered"], told["failed"], told["known"], round(told["bytes"] / 1e6, 1),
               round(told["seconds"], 1), told["rate"])  # fmt: skip
        return table(headers, [row])

    def _rate(self) -> float:
        return self.counts["answered"] / max(1e-3, time.monotonic() - self._start)

    def __repr__(self) -> str:
        return f"<Push {self.text()}>"


def pictures(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder, and of those in it, in the order of their names. Raises `InvalidRequest`."""
    if not folder.is_dir():
        raise InvalidRequest("bad_request", f"There is no directory {folder}.")
    try:
        found = [path for path in folder.rglob(pattern or "*") if path.is_file()]
    except (ValueError, NotImplementedError) as cause:
        raise InvalidRequest("bad_request", f"{pattern!r} is no pattern for the files of a folder: {cause}.") from None
    chosen = sorted(path for path in found if pattern or path.suffix.lower() in SUFFIXES)
    if not chosen:
        what = f"file {pattern!r}" if pattern else f"picture ({', '.join(sorted(SUFFIXES))})"
        raise InvalidRequest("bad_request", f"There is no {what} in {folder}.")
    return chosen


def identity(model: str, version: Mapping[str, Any], encoded: bytes) -> str:
    """What tells this picture for this registration from every other request."""
    digest = hashlib.blake2b(encoded, digest_size=16)
    for part in (model, version["version"], version.get("identity", "")):
        digest.update(b"\0" + str(part).encode())
    return f"folder-{digest.hexdigest()}"


def answered(out: str) -> set[str]:
    """The ids in a file of results that have an answer; a line that was cut off has none."""
    known: set[str] = set()
    if out and Path(out).is_file():
        with Path(out).open(encoding="utf-8", errors="replace") as lines:
            for text in lines:
                with contextlib.suppress(ValueError):
                    line = json.loads(text)
                    if isinstance(line, dict) and "outputs" in line:
                        known.add(str(line.get("id")))
    return known


@contextlib.contextmanager
def opened(out: str) -> Iterator[TextIO]:
    """Where lines go: behind those of the file, the last of which may have been cut off, or to stdout."""
    if not out:
        yield sys.stdout
        return
    path = Path(out)
    cut_off = path.is_file() and path.stat().st_size and not ends_in_newline(path)
    with path.open("a", encoding="utf-8") as file:
        if cut_off:
            file.write("\n")
        yield file


def ends_in_newline(path: Path) -> bool:
    """Whether the last line of a file is whole."""
    with path.open("rb") as file:
        file.seek(-1, io.SEEK_END)
        return file.read() == b"\n"
