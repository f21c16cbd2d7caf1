"""Bytes that no HTTP caller should send; each must end in a 4xx or a closed connection."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from tests.chaos.ledger import Ledger
from tests.chaos.poison import DEEP, LARGE
from tests.chaos.scene import Scene, running

PIECE: Final = 1 << 20
ANSWER_S: Final = 15.0
"""The gateway gives a head ten seconds to arrive."""
PATH: Final = "/v2/models/{model}/infer"

Sent = Callable[[random.Random, str], Iterable[bytes]]


def head(path: str, *lines: str) -> bytes:
    """The head of a POST."""
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: chaos", *lines, "", "")).encode()


def pieces(size: int) -> Iterable[bytes]:
    """So many bytes of nothing, a piece at a time."""
    return (b"x" * PIECE for _ in range(size // PIECE))


def deep(_: random.Random, path: str) -> Iterable[bytes]:
    """JSON that is nested without end."""
    body = b'{"inputs": ' + b"[" * DEEP
    return [head(path, f"Content-Length: {len(body)}"), body]


def large_head(_: random.Random, path: str) -> Iterable[bytes]:
    """A header of 50 MB."""
    yield f"POST {path} HTTP/1.1\r\nHost: chaos\r\nX-Large: ".encode()
    yield from pieces(LARGE)
    yield b"\r\n\r\n"


def large_body(_: random.Random, path: str) -> Iterable[bytes]:
    """A body of 50 MB that is no JSON."""
    yield head(path, f"Content-Length: {LARGE}")
    yield from pieces(LARGE)


KINDS: Final[Mapping[str, Sent]] = {
    "random bytes": lambda draw, _: [draw.randbytes(4096) + b"\r\n\r\n"],
    "random bytes as a body": lambda _, path: [head(path, "Content-Length: 512"), bytes(range(256)) * 2],
    "a chunked body cut short": lambda _, path: [head(path, "Transfer-Encoding: chunked"), b'400\r\n{"inputs": ['],
    "a chunk whose size is none": lambda _, path: [head(path, "Transfer-Encoding: chunked"), b"surprise\r\n{}\r\n"],
    "a length and chunks": lambda _, path: [
        head(path, "Content-Length: 3", "Transfer-Encoding: chunked"), b"2\r\n{}\r\n0\r\n\r\n"
    ],
    "a negative length": lambda _, path: [head(path, "Content-Length: -1"), b"{}"],
    "JSON without end": deep,
    "a header of 50 MB": large_head,
    "a body of 50 MB": large_body,
}  # fmt: skip


def ask(address: tuple[str, int], data: Iterable[bytes]) -> str:
    """Send it, say that nothing follows, and return the status told; empty: the connection was closed unanswered."""
    told = b""
    with socket.create_connection(address, ANSWER_S) as link:
        try:
            for piece in data:
                link.sendall(piece)
            link.shutdown(socket.SHUT_WR)
        except TimeoutError:
            return "no end"
        except OSError:
            pass  # it was closed while we sent; an answer may lie there all the same
        try:
            while len(told) < 12 and (more := link.recv(4096)):
                told += more
        except TimeoutError:
            return "no answer"
        except OSError:
            pass
    return (told[9:12].decode(errors="replace") or "no HTTP") if told else ""


def address_of(url: str) -> tuple[str, int]:
    """Where the gateway listens."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80


def poison_door(url: str, model: str, draw: random.Random, ledger: Ledger) -> int:
    """One connection of each kind; how many were refused as they should be."""
    right = 0
    for name in draw.sample(list(KINDS), len(KINDS)):
        try:
            status = ask(address_of(url), KINDS[name](draw, PATH.format(model=model)))
        except OSError:
            continue  # nobody listens: another fault acts, or `judge_gateway` finds out
        if not status or status.startswith("4"):
            right += 1
        else:
            ledger.wrong("door_broke", f"{name}: {status}")
    return right


def poison_http(scene: Scene) -> str:
    """What is no HTTP, or too much of it, at the gateway; it must not end of it."""
    begin, before = time.monotonic(), running(scene, ["gateway"])
    model, ledger = scene.mix.subjects[0].model, scene.checker.ledger
    right = poison_door(scene.stack.http_url, model, scene.random, ledger)
    alone = all(name.startswith("poison") for name in scene.acting.since(begin))
    judge_gateway(before, running(scene, ["gateway"]), alone=alone, ledger=ledger)
    return f"{right} of {len(KINDS)} kinds of bytes refused by the gateway"


def judge_gateway(before: Mapping[str, int], after: Mapping[str, int], *, alone: bool, ledger: Ledger) -> None:
    """The same process is there afterwards, unless another fault may have ended it."""
    if alone and before != after:
        ledger.wrong("door_broke", f"it was {before} and is {after}")
