"""Whether callers are told of a folder in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scurry.serving import shared_memory as module
from scurry.serving.shared_memory import SharedMemory
from scurry.settings import UpSettings
from scurry.wire.errors import Unavailable
from scurry.wire.names import Keys

OURS = "spec:\n  functions: scurry/*\n"
THEIRS = OURS + "---\nspec:\n  functions: team/upper\n"


class FakeClient:
    """Keeps what it is told."""

    commands: list[tuple[str, ...]]
    failure: Exception | None = None

    def __init__(self, redis_url: str, *, namespace: str) -> None:
        self.keys = Keys(namespace)

    async def __aenter__(self) -> FakeClient:
        if self.failure is not None:
            raise self.failure
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""

    async def command(self, *words: str) -> None:
        self.commands.append(words)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What Redis is told."""
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(FakeClient, "commands", commands, raising=False)
    monkeypatch.setattr(module, "Client", FakeClient)
    return commands


async def offered(tmp_path: Path, yaml: str = OURS, **settings: Any) -> SharedMemory:
    """One that was offered, below a memory of the test's own."""
    (tmp_path / "memory").mkdir(exist_ok=True)
    (tmp_path / "module.yaml").write_text(yaml)
    given = {"shared_memory": str(tmp_path / "memory"), "namespace": "n"} | settings
    one = SharedMemory(UpSettings(**given), tmp_path / "data")
    await one.offer(tmp_path / "module.yaml", "redis://r:1/0")
    return one


async def test_callers_are_told_of_the_folder(told: list[tuple[str, ...]], tmp_path: Path) -> None:
    """With the token that is in it; it goes with the last who needs it."""
    one = await offered(tmp_path)
    assert one.folder is not None and one.folder.parent == tmp_path / "memory"
    assert told == [("SET", "n:shared-payloads", f"{one.folder} {(one.folder / 'machine').read_text()}")]
    again = SharedMemory(UpSettings(shared_memory=str(tmp_path / "memory")), tmp_path / "data")
    assert again.folder == one.folder
    one.close()
    assert list((tmp_path / "memory").iterdir()) == []


@pytest.mark.parametrize(
    ("yaml", "settings"),
    [(THEIRS, {}), (OURS, {"shared_memory": ""}), (OURS, {"shared_memory": "/nowhere"})],
    ids=["user functions", "turned off", "no such memory"],
)
async def test_else_they_are_told_that_there_is_none(
    told: list[tuple[str, ...]], tmp_path: Path, yaml: str, settings: dict[str, str]
) -> None:
    """A user's functions read Redis; and a `scurry up` before may have told of one."""
    one = await offered(tmp_path, yaml, **settings)
    assert told == [("DEL", "n:shared-payloads")]
    one.close()


async def test_a_folder_that_cannot_be_made_is_no_reason_not_to_start(
    told: list[tuple[str, ...]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All goes through Redis then."""
    (tmp_path / "memory").mkdir()
    one = SharedMemory(UpSettings(shared_memory=str(tmp_path / "memory")), tmp_path / "data")
    assert one.folder is not None
    one.folder.write_text("a file in its place")
    await offered(tmp_path)
    assert told == [("DEL", "n:shared-payloads")]
    assert "cannot be used" in caplog.text


async def test_a_redis_that_does_not_let_us_tell_is_no_reason_either(
    told: list[tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An ACL may forbid it."""
    monkeypatch.setattr(FakeClient, "failure", Unavailable("unavailable", "Redis refused: NOPERM."))
    (await offered(tmp_path)).close()
    assert "send large tensors through Redis: unavailable: Redis refused: NOPERM." in caplog.text
