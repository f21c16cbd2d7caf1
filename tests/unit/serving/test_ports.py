"""Ports: given, preferred, free."""

import errno
import os
from typing import ClassVar

import pytest

from scurry.serving import ports
from scurry.serving.ports import PortTaken, pick


class FakeSocket:
    """Binds in a table instead of the kernel."""

    taken: ClassVar[set[int]] = set()
    free = 40000

    def setsockopt(self, *_):
        pass

    def listen(self, _):
        pass

    def bind(self, address):
        port = address[1]
        if port in self.taken:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        if port == 0:
            FakeSocket.free += 1
            port = FakeSocket.free
        self.port = port
        self.taken.add(port)

    def getsockname(self):
        return ("127.0.0.1", self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture(autouse=True)
def table(monkeypatch):
    """Ports 8000 and 9000 are taken."""
    monkeypatch.setattr(FakeSocket, "taken", {8000, 9000})
    monkeypatch.setattr(ports.socket, "socket", FakeSocket)


def test_no_port_comes_twice():
    """All are held until all are chosen."""
    found = pick([(f"--{n}", 0, 0, "127.0.0.1") for n in range(5)])
    assert len(set(found)) == 5


def test_a_preferred_port_is_taken_where_it_is_free():
    """Else any other, without a word."""
    free, moved = pick([("--a", 0, 8001, "127.0.0.1"), ("--b", 0, 8000, "127.0.0.1")])
    assert free == 8001
    assert moved not in (8000, 8001)


def test_none_is_taken_that_a_connection_may_get(monkeypatch, tmp_path):
    """A connection that goes out before the process has bound its port would have it; else whatever is free."""
    monkeypatch.setattr(ports, "RANGE", tmp_path / "range")
    for text, low, high in (("32768\t60999\n", 10_000, 32_768), ("1024 60999", 40_001, 60_999), ("", 40_001, 60_999)):
        (tmp_path / "range").write_text(text)
        assert all(low <= port < high for port in pick([("--x", 0, 0, "127.0.0.1")] * 50)), text
    (tmp_path / "range").write_text("10001 60999")  # a single one is left, and it goes once
    found = pick([("--x", 0, 0, "127.0.0.1")] * 2)
    assert (found[0], found[1] > 40_000) == (10_000, True)


def test_a_given_port_that_is_taken_is_an_error():
    """The sentence names port, flag and host."""
    with pytest.raises(
        PortTaken, match=r"Port 9000 \(--http-port\) cannot be used on 127.0.0.1: Address already in use"
    ):
        pick([("--http-port", 9000, 0, "127.0.0.1")])
