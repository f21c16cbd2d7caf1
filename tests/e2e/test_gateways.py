"""Several gateways behind one port: each takes connections, and the loss of one is no loss of the port."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from benchmarks import machine
from tests.conftest import Stack
from tests.e2e.test_listening import sockets
from tests.e2e.test_up import body, eventually, is_alive, save_model, up

NAMES = {"gateway-0", "gateway-1"}
ESTABLISHED = "01"
MANY = 100


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two gateways, which log next to nothing, before a model that doubles."""
    folder = tmp_path_factory.mktemp("pair")
    stack = Stack(folder / "up", "--workers", "1", "--gateways", "2", "--log-level", "error")
    try:
        stack.register("twice", save_model(folder / "m.onnx", 2))
        yield stack
    finally:
        stack.stop()


def port(stack: Stack) -> int:
    """The one that they share."""
    return int(stack.http_url.rpartition(":")[2])


def gateways(stack: Stack) -> dict[str, int]:
    """Their names and processes as they are now."""
    processes = json.loads((stack.dir / "scurry.json").read_text())["processes"]
    return {name: one["pid"] for name, one in processes.items() if name.startswith("gateway")}


def taken(stack: Stack, pids: list[int]) -> list[int]:
    """How many connections each of them has accepted and holds."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = {row[9] for row in rows if row[3] == ESTABLISHED and int(row[1].rpartition(":")[2], 16) == port(stack)}
    return [len(ends & sockets(pid)) for pid in pids]


def share(stack: Stack) -> list[int]:
    """How many of many connections each gateway gets."""
    pids = list(gateways(stack).values())
    with ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(socket.create_connection(("127.0.0.1", port(stack)), 5))
        eventually(lambda: sum(taken(stack, pids)) >= MANY, 10, "every connection accepted")
        return taken(stack, pids)


def ask(stack: Stack) -> str:
    """`ok` for the right answer over a connection of its own, else what went wrong."""
    link = http.client.HTTPConnection("127.0.0.1", port(stack), timeout=20)
    try:
        link.request("POST", "/v2/models/twice/infer", body(3))
        reply = link.getresponse()
        told = json.loads(reply.read())
        return "ok" if reply.status == 200 and told["outputs"][0]["data"] == [6] * 4 else f"{reply.status} {told}"
    except (OSError, http.client.HTTPException) as exc:
        return type(exc).__name__
    finally:
        link.close()


class Asking(threading.Thread):
    """Asks one request after the other; each with the moment at which it was begun."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self.seen: list[tuple[float, str]] = []
        self._stack, self._stopping = stack, threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(0.005):
            begin = time.monotonic()
            self.seen.append((begin, ask(self._stack)))

    def __enter__(self) -> Asking:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.join(30)


def test_both_take_connections_and_are_told_apart(pair: Stack) -> None:
    """In what was printed, by `scurry status` and in the sums of the benchmarks."""
    assert gateways(pair).keys() == NAMES
    assert min(share(pair)) > 0
    assert {ask(pair) for _ in range(40)} == {"ok"}
    assert any(f"HTTP     {pair.http_url} (2 gateways)" in line for line in pair.lines)
    told = json.loads(pair.run("status", "--json", "--dir", str(pair.dir)).stdout)
    shown = {one["process"]: (one["ready"], one["address"]) for one in told["processes"]}
    assert {name: shown[name] for name in NAMES} == dict.fromkeys(NAMES, (True, pair.http_url))
    named = machine.processes(pair.process.pid)
    assert Counter(named.values())["gateway"] == 2
    assert machine.cpu_seconds(named)["gateway"] > 0
    assert "gateway-1 | " in pair.run("logs", "gateway", "--dir", str(pair.dir)).stdout


def test_the_port_is_nobody_elses(pair: Stack, tmp_path: Path) -> None:
    """Although it is shared, a second `scurry up` does not get in."""
    done = up("--dir", str(tmp_path), "--gateways", "2", "--http-port", str(port(pair)))
    assert done.returncode == 1
    assert f"Port {port(pair)} (--http-port) cannot be used" in done.stderr


def test_one_that_is_killed_is_missed_by_nobody_who_connects_then(pair: Stack) -> None:
    """Only what it had itself is lost; it comes back to the same port while the other listens."""
    before = gateways(pair)
    with Asking(pair) as one, Asking(pair) as two:
        time.sleep(0.5)
        os.kill(before["gateway-0"], signal.SIGKILL)
        # Its sockets are closed when its last thread has ended, of which only its parent hears.
        eventually(lambda: gateways(pair)["gateway-0"] != before["gateway-0"], 10, "its end")
        gone = time.monotonic()
        eventually(lambda: gateways(pair)["gateway-0"] not in (0, before["gateway-0"]), 20, "gateway-0 back")

        def all_is_ready() -> bool:
            return pair.run("status", "--dir", str(pair.dir), check=False).returncode == 0

        eventually(all_is_ready, 30, "gateway-0 ready")
        time.sleep(0.5)
    seen = one.seen + two.seen
    assert sum(begin < gone for begin, _ in seen) > 10
    assert sum(begin > gone for begin, _ in seen) > 100
    assert [(begin - gone, what) for begin, what in seen if begin > gone and what != "ok"] == []
    assert gateways(pair)["gateway-1"] == before["gateway-1"]
    assert min(share(pair)) > 0


def test_both_end_with_the_rest(pair: Stack) -> None:
    """Nothing listens any more."""
    pids = gateways(pair).values()
    assert pair.stop() == 0
    assert not any(is_alive(pid) for pid in pids)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port(pair)), 1)
