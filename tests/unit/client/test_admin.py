"""The registry from Python: registered, shown, declared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scurry.client.admin import Registry, absolute
from scurry.client.client import Client
from scurry.registry.update import read
from scurry.wire.errors import Failed, NotFound
from scurry.wire.messages_pb2 import Update

VERSION = {"version": "1", "state": "ready", "uri": "/m.onnx", "runtime": "onnx", "config": {}, "route": True}
RECORDS = {"m": {"model": "m", "versions": [VERSION], "aliases": {"stable": "1"}, "weights": {}}}


class Shown(Client):
    """A registry that shows these records and notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.updates: list[Update] = []
        self.announced: list[Update] = []
        self.fails = False

    async def update(self, update: Update, **_: Any) -> dict[str, Any]:
        self.updates.append(read(update))
        if self.fails:
            raise Failed("load_failed", "It is no model.")
        return {"model": update.model}

    async def announce(self, update: Update) -> str:
        self.announced.append(read(update))
        return "1-1"

    async def models(self, *, limit: int = 0, after: str = "") -> dict[str, dict[str, Any]]:
        return RECORDS

    async def record(self, model: str) -> dict[str, Any] | None:
        return RECORDS.get(model)


async def test_registering_takes_plain_values(tmp_path: Path) -> None:
    """A path of this machine becomes absolute, a config is a dict."""
    (tmp_path / "m.onnx").touch()
    client = Shown()
    record = await client.registry.register(
        "m", tmp_path / "m.onnx", version="2", config={"threads": 2}, route=False
    )
    assert record == {"model": "m"}
    said = client.updates[0].register
    assert (said.version, said.uri) == ("2", str(tmp_path / "m.onnx"))
    assert json.loads(said.config) == {"threads": 2}
    assert said.HasField("route")
    assert not said.route
    await client.registry.register("m", "/m.onnx", config={"threads": 2}, pool="gpu")
    assert json.loads(client.updates[1].register.config) == {"threads": 2, "pool": "gpu"}


async def test_what_cannot_be_loaded_is_raised() -> None:
    """By its code."""
    client = Shown()
    client.fails = True
    with pytest.raises(Failed) as caught:
        await client.registry.register("m", "/m.onnx")
    assert caught.value.code == "load_failed"


async def test_nobody_has_to_wait() -> None:
    """Then the record is as it stands."""
    client = Shown()
    assert (await client.registry.register("m", "/m.onnx", wait=False)).get("versions") == [VERSION]
    assert await client.registry.register("new", "/m.onnx", wait=False) == {"model": "new", "versions": []}
    assert (client.updates, [one.model for one in client.announced]) == ([], ["m", "new"])


async def test_unregistering_may_be_forced() -> None:
    """A version, or all."""
    client = Shown()
    await client.registry.unregister("m")
    await client.registry.unregister("m", "1", force=True)
    assert [(one.unregister.version, one.unregister.force) for one in client.updates] == [("", False), ("1", True)]


async def test_records_are_shown() -> None:
    """One that is not there is an error."""
    registry = Shown().registry
    assert (await registry.record("m")).get("aliases") == {"stable": "1"}
    assert list(await registry.models()) == ["m"]
    with pytest.raises(NotFound, match="No model 'ghost'"):
        await registry.record("ghost")


async def test_what_is_exported_applies_without_a_change() -> None:
    """And a model that is not there is named."""
    client = Shown()
    declared = await client.registry.export()
    assert list(declared["models"]) == ["m"]
    assert await client.registry.apply(declared) == []
    with pytest.raises(NotFound, match="ghost"):
        await client.registry.export("ghost")


async def test_a_declaration_is_carried_out() -> None:
    """Each change says what came of it; a dry run changes nothing."""
    client = Shown()
    wanted = {"models": {"new": {"versions": [{"version": "1", "uri": "/new.onnx"}]}}}
    planned = await client.registry.apply(wanted, dry_run=True)
    assert [(one.step.model, one.outcome) for one in planned] == [("new", "not done")]
    assert client.updates == []
    done = await client.registry.apply(wanted, prune=True)
    assert [(one.step.model, one.step.change, one.outcome) for one in done] == [
        ("m", "unregister", "done"), ("new", "register", "done"),
    ]  # fmt: skip
    assert len(client.updates) == 2


def test_only_what_is_here_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses, and paths of other machines, stay as they are."""
    (tmp_path / "here.onnx").touch()
    monkeypatch.chdir(tmp_path)
    assert absolute("here.onnx") == str(tmp_path / "here.onnx")
    assert [absolute(uri) for uri in ("", "s3://b/m", "/there.onnx")] == ["", "s3://b/m", "/there.onnx"]
    strange = ["/" + 5000 * "a", "a\0b", "~nobody-is-called-so/m.onnx"]
    assert [absolute(uri) for uri in strange] == strange


def test_it_shows_whose_it_is() -> None:
    """In logs."""
    assert repr(Registry(Shown())).startswith("<Registry of <Shown ")
