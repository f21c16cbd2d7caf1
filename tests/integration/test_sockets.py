"""Which process listens on a port, with real sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scurry.serving import sockets
from scurry.serving.sockets import listens

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

LISTEN = """
import socket, sys
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
sock.bind(("127.0.0.1", int(sys.argv[1])))
print(flush=True)
sys.stdin.readline()
sock.listen()
print(flush=True)
sys.stdin.readline()
"""


def test_who_shares_a_port_is_told_apart() -> None:
    """One that has it but does not listen yet, and one that is gone, do not listen, though we do."""
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        ours.bind(("127.0.0.1", 0))
        ours.listen()
        port = ours.getsockname()[1]
        command = [sys.executable, "-c", LISTEN, str(port)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdin
            assert child.stdout
            child.stdout.readline()
            assert (listens(os.getpid(), port), listens(child.pid, port)) == (True, False)
            child.stdin.write("\n")
            child.stdin.flush()
            child.stdout.readline()
            assert listens(child.pid, port) is True
        assert (listens(os.getpid(), port), listens(child.pid, port)) == (True, False)
    assert listens(os.getpid(), port) is False


def test_ipv6_counts() -> None:
    """Its sockets are in a table of their own."""
    with socket.socket(socket.AF_INET6) as ours:
        try:
            ours.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
        ours.listen()
        assert listens(os.getpid(), ours.getsockname()[1]) is True


def test_a_system_that_does_not_tell_is_not_guessed_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither yes nor no."""
    monkeypatch.setattr(sockets, "PROC", tmp_path)
    assert listens(os.getpid(), 1) is None
