"""What is sent at the gateway, and what is made of its answer."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.chaos import http_poison
from tests.chaos.http_poison import KINDS, judge_gateway, poison_door
from tests.chaos.ledger import Ledger


@contextlib.contextmanager
def door(told: bytes, *, silent: bool = False) -> Iterator[str]:
    """A listener that says the same to everybody."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    link, _ = listener.accept()
                    link.recv(1 << 16)
                    if silent:
                        held.append(link)
                        continue
                    link.sendall(told)
                    link.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    for link in held:
        link.close()


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 0), (b"HTTP/1.1 413 Too large\r\n\r\n", 0), (b"", 0),
        (b"HTTP/1.1 200 OK\r\n\r\n", 2), (b"HTTP/1.1 500 Oh no\r\n\r\n", 2), (b"surprise", 2),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_refusal_is_found(monkeypatch: pytest.MonkeyPatch, told: bytes, wrong: int) -> None:
    """Success, a fault of the gateway's own, or what is no HTTP."""
    few = {name: KINDS[name] for name in ("a negative length", "a chunk whose size is none")}
    monkeypatch.setattr(http_poison, "KINDS", few)
    ledger = Ledger()
    with door(told) as url:
        assert poison_door(url, "m", random.Random(1), ledger) == 2 - wrong
    assert ledger.wrongs["door_broke"] == wrong


def test_a_gateway_that_says_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an answer nor an end."""
    monkeypatch.setattr(http_poison, "KINDS", {"random bytes": KINDS["random bytes"]})
    monkeypatch.setattr(http_poison, "ANSWER_S", 0.2)
    ledger = Ledger()
    with door(b"", silent=True) as url:
        assert poison_door(url, "m", random.Random(1), ledger) == 0
    assert ledger.examples["door_broke"] == ["random bytes: no answer"]


@pytest.mark.parametrize(
    ("after", "alone", "wrong"), [({"gateway": 7}, True, 0), ({"gateway": 8}, True, 1), ({"gateway": 8}, False, 0)]
)
def test_a_gateway_that_ended_is_found(after: dict[str, int], alone: bool, wrong: int) -> None:
    """Unless another fault may have ended it."""
    ledger = Ledger()
    judge_gateway({"gateway": 7}, after, alone=alone, ledger=ledger)
    assert ledger.wrongs["door_broke"] == wrong


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_bytes(name: str) -> None:
    """And not none."""
    assert sum(len(piece) for piece in KINDS[name](random.Random(1), "/v2/models/m/infer")) > 0
