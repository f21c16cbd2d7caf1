"""The order in which everything is started and stopped, with processes that only remember."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scurry.serving import up as module
from scurry.serving.addresses import Addresses
from scurry.serving.processes import Plan, StartFailed
from scurry.serving.readiness import GATEWAY_LINE
from scurry.serving.redis_server import Server
from scurry.serving.up import Up, ready_block
from scurry.settings import UpSettings
from scurry.wire.names import Keys


class FakeChild:
    """Runs from start to stop; what happens is written into one list."""

    happened: list[str]
    broken = ""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.pid, self.started = plan, 0, 0.0

    async def start(self) -> None:
        self.happened.append(f"start {self.plan.name}")
        self.pid = 7

    def check_alive(self) -> None:
        """It lives."""

    def said(self) -> str:
        return "scurry job is running"

    async def end(self) -> int:
        raise AssertionError("nothing ends by itself")

    async def stop(self, patience_s: float) -> None:
        self.happened.append(f"stop {self.plan.name} within {patience_s:g}")
        self.pid = 0

    def kill(self) -> None:
        self.happened.append(f"kill {self.plan.name}")


@pytest.fixture
def happened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """What is started, awaited and stopped, in order."""
    order: list[str] = []
    monkeypatch.setattr(FakeChild, "happened", order, raising=False)
    monkeypatch.setattr(module, "Child", FakeChild)
    monkeypatch.setattr(module.Keeper, "keep", lambda keeper: order.append(f"keep {keeper.child.plan.name}"))
    monkeypatch.setattr(module.jars, "find", lambda *_, **__: module.jars.Job(tmp_path, tmp_path, tmp_path))
    monkeypatch.setattr(module.java, "find", lambda _: "java")
    monkeypatch.setattr(module.redis_server, "find", lambda _: Server("redis-server", (7, 0)))

    async def until(check: Any, child: Any, name: str, patience_s: float, restarts: Any = None) -> None:
        order.append(f"ready {name}")

    async def offer(memory: object, yaml: Path, redis_url: str) -> None:
        """Nobody is told of shared memory: there is no Redis."""

    monkeypatch.setattr(module, "until", until)
    monkeypatch.setattr(module.SharedMemory, "offer", offer)
    return order


def make(tmp_path: Path, **given: Any) -> Up:
    """One with two workers and, unless told, one gateway."""
    given = {"workers": 2, "gateways": 1} | given
    return Up(UpSettings(dir=str(tmp_path / "up"), **given), {}, lambda _: None)


def written(tmp_path: Path) -> dict[str, Any]:
    """What others read."""
    facts: dict[str, Any] = json.loads((tmp_path / "up" / "scurry.json").read_text())
    return facts


async def test_redis_first_and_the_rest_side_by_side(happened: list[str], tmp_path: Path) -> None:
    """Each is kept from the moment it is ready: another's start may take long, and meanwhile anything may end."""
    up = make(tmp_path)
    await up.start()
    assert happened[:3] == ["start redis", "ready redis", "keep redis"]
    rest = ("functions", "worker-0", "worker-1", "job")
    assert happened[3:9] == [f"start {name}" for name in (*rest, "gateway", "bridge")]
    assert happened[9:] == [f"{step} {name}" for name in (*rest, "bridge", "gateway") for step in ("ready", "keep")]
    facts = written(tmp_path)
    assert (facts["ready"], facts["pid"], set(facts["processes"])) == (
        True,
        os.getpid(),
        {"redis", "functions", "worker-0", "worker-1", "job", "gateway", "bridge"},
    )
    await up.stop()


async def test_every_gateway_is_awaited(happened: list[str], tmp_path: Path) -> None:
    """Under a name of its own, and kept from then on."""
    up = make(tmp_path, gateways=2)
    await up.start()
    assert [each for each in happened if "gateway" in each] == [
        "start gateway-0", "start gateway-1", "ready gateway-0", "keep gateway-0", "ready gateway-1", "keep gateway-1",
    ]  # fmt: skip
    assert {"gateway-0", "gateway-1"} < set(written(tmp_path)["processes"])
    assert f"HTTP     {up.addresses.http_url} (2 gateways)\n" in ready_block(up.addresses, tmp_path, "", 1.0)
    happened.clear()
    await up.stop()
    assert happened[:3] == ["stop gateway-0 within 12", "stop gateway-1 within 12", "stop bridge within 4"]


@pytest.mark.parametrize(
    ("gateways", "said", "answers", "is_ready"),
    [(1, "", True, True), (1, "", False, False), (2, "", True, False), (2, GATEWAY_LINE, True, True),
     (2, GATEWAY_LINE, False, False)],
)  # fmt: skip
async def test_an_answer_from_a_shared_port_is_no_word_of_each(monkeypatch, gateways, said, answers, is_ready) -> None:
    """Whoever shares it must have said himself that he listens."""

    async def http(host: str, port: int, path: str) -> bool:
        assert (host, port, path) == ("127.0.0.1", 8, "/v2/health/ready")
        return answers

    monkeypatch.setattr(module, "http_says_ready", http)
    monkeypatch.setattr(FakeChild, "said", lambda _: said)
    at = Addresses("0.0.0.0", "redis://r", 0, 0, (), 8, 0, gateways=gateways)
    child: Any = FakeChild(Plan("gateway", (), Path()))
    assert await module.gateway_is_ready(child, at) is is_ready


async def test_nobody_is_stopped_before_those_that_need_him(happened: list[str], tmp_path: Path) -> None:
    """Each within his own time; then the directory is free and nothing says that we run."""
    up = make(tmp_path)
    await up.start()
    happened.clear()
    await up.stop()
    assert happened == ["stop gateway within 12", "stop bridge within 4", "stop job within 8",
                        "stop functions within 5", "stop worker-0 within 5", "stop worker-1 within 5",
                        "stop redis within 8"]  # fmt: skip
    assert not (tmp_path / "up" / "scurry.json").exists()


async def test_a_redis_of_others_is_neither_started_nor_stopped(happened: list[str], tmp_path: Path) -> None:
    """It is awaited."""
    up = make(tmp_path, redis_url="redis://r:1/0")
    await up.start()
    assert happened[0] == "ready Redis at r:1 (--redis-url)"
    assert "start redis" not in happened
    await up.stop()


async def test_what_refuses_is_not_ready(happened: list[str], tmp_path: Path) -> None:
    """Although all the others run."""
    up = make(tmp_path)
    await up.start()
    up._keepers[-1].is_refused = True
    up._report.write()
    assert written(tmp_path)["ready"] is False
    await up.stop()


async def test_a_directory_without_room_is_one_sentence(happened, tmp_path, monkeypatch) -> None:
    """At the start there is nothing yet that had to be kept alive."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "up"))

    up = make(tmp_path)
    monkeypatch.setattr(up.folder, "write", full)
    with pytest.raises(StartFailed, match=r"cannot be used: No space left on device\."):
        await up.start()
    await up.stop()


async def test_checkpoints_are_put_aside_when_asked(happened, tmp_path, monkeypatch) -> None:
    """Kept under another name; what Redis shows of the models they knew is forgotten, before the job begins."""

    class FakeClient:
        keys = Keys("ns")

        def __init__(self, url: str, *, namespace: str) -> None:
            assert namespace == "ns"

        async def __aenter__(self) -> FakeClient:
            return self

        async def __aexit__(self, *_: object) -> None:
            """Nothing is open."""

        async def command(self, *words: str) -> None:
            happened.append(" ".join(words))

    old = tmp_path / "up" / "flink" / "checkpoints" / "run"
    old.mkdir(parents=True)
    monkeypatch.setattr(module, "Client", FakeClient)
    up = make(tmp_path, forget_checkpoints=True, namespace="ns")
    await up.start()
    assert not old.exists()
    assert list((tmp_path / "up" / "flink").glob("checkpoints.*/run"))
    assert happened.index("DEL ns:models") < happened.index("start job")
    await up.stop()


async def test_killing_waits_for_nothing(happened: list[str], tmp_path: Path) -> None:
    """Every process at once."""
    up = make(tmp_path)
    await up.start()
    happened.clear()
    up.kill()
    assert len(happened) == 7
    await up.stop()


async def test_what_is_printed_says_which_files_may_be_opened(happened: list[str], tmp_path: Path) -> None:
    """Any, unless a root is set: whoever registers a model chooses a file of ours."""
    up = make(tmp_path)
    await up.start()
    block = ready_block(up.addresses, up.folder.path, "", 1.0)
    assert block.startswith(f"scurry is ready\n  HTTP     {up.addresses.http_url}\n")
    assert "models   any file that this user can read (--models-root DIR sets a limit)" in block
    assert f"models   only below {tmp_path}" in ready_block(up.addresses, up.folder.path, f"{tmp_path}/x/..", 1.0)
    await up.stop()


@pytest.mark.parametrize(
    ("certificates", "said", "is_ready"), [(False, "", True), (True, "", False), (True, GATEWAY_LINE, True)]
)
async def test_a_gateway_behind_tls_is_asked_over_it(monkeypatch, certificates, said, is_ready) -> None:
    """Where it wants a certificate of who asks, its own word is all there is."""

    async def https(host: str, port: int, path: str, *, tls: bool) -> bool:
        assert not certificates
        return tls

    monkeypatch.setattr(module, "http_says_ready", https)
    monkeypatch.setattr(FakeChild, "said", lambda _: said)
    at = Addresses("0.0.0.0", "redis://r", 0, 0, (), 8, 0, is_tls=True, asks_certificates=certificates)
    child: Any = FakeChild(Plan("gateway", (), Path()))
    assert await module.gateway_is_ready(child, at) is is_ready
    assert at.http_url == "https://127.0.0.1:8"
    assert at.shown().get("asks_certificates", False) is certificates
