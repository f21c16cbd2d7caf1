"""What the command line prints: tables, JSON, progress."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence

SLOW_S = 1.0


def say(text: str) -> None:
    """Print to stdout, now."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Print to stderr, beside the result; where it is full or closed, nobody reads it anyway."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def emit(args: argparse.Namespace, data: object, text: str) -> None:
    """Print the result in the form that was asked for."""
    say(json.dumps(data, ensure_ascii=False) if getattr(args, "json", None) else text)


def complain(args: argparse.Namespace, code: str, message: str) -> int:
    """Print a failure as one sentence with its code, or as JSON; returns the exit status."""
    if getattr(args, "json", None) is True:
        say(json.dumps({"error": code, "message": message}, ensure_ascii=False))
    else:
        note(f"scurry: {code}: {printable(message)}")
    return 1


def printable(text: str) -> str:
    """What came from others, without what would move a terminal's cursor or break a table."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Aligned columns; numbers to the right."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    right = [bool(rows) and all(isinstance(row[n], int | float) for row in rows) for n in range(len(headers))]
    return "\n".join(_line(line, widths, right) for line in (list(headers), *cells))


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if is_right else cell.ljust(width)
        for cell, width, is_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip()


@contextlib.asynccontextmanager
async def progress(args: argparse.Namespace, state: Callable[[], str]) -> AsyncIterator[None]:
    """Say what is being waited for, from the first second on, on stderr."""
    if getattr(args, "json", None):
        yield
        return
    teller = asyncio.create_task(_tell(state))
    try:
        yield
    finally:
        teller.cancel()
        await asyncio.gather(teller, return_exceptions=True)


async def _tell(state: Callable[[], str]) -> None:
    """On a terminal one line that changes; elsewhere a line when the state does."""
    start, last, live = time.monotonic(), "", sys.stderr.isatty()
    await asyncio.sleep(SLOW_S)
    try:
        while True:
            text = state()
            if live:
                sys.stderr.write(f"\r\x1b[K{text} … {time.monotonic() - start:.0f} s")
                sys.stderr.flush()
            elif text != last:
                note(f"{text} …")
            last = text
            await asyncio.sleep(0.5)
    finally:
        if live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
