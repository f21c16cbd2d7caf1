"""Models and streams of Cluster Serving's files are registered and bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scurry.cli import cluster_serving
from scurry.cli.cluster_config import Served
from scurry.cli.cluster_serving import read_all, serve_all
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import Update


class Asker:
    """Notes what it is told; `bad` cannot be loaded."""

    def __init__(self) -> None:
        self.told: list[Update] = []

    async def __aenter__(self) -> Asker:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def models(self) -> dict[str, Any]:
        one = {"version": "1", "uri": "/old", "state": "ready", "runtime": "onnx", "config": {"threads": 2}}
        return {"old": {"versions": [one]}}

    async def update(self, update: Update, **_: object) -> None:
        self.told.append(update)
        if update.model == "bad":
            raise Failed("load_failed", "It is none.")


async def test_what_is_there_is_only_bound_and_what_fails_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A servable without files is only a stream of its model."""
    asker = Asker()
    monkeypatch.setattr(cluster_serving, "Client", lambda *_, **__: asker)
    served = [
        Served("old", uri="/old", config={"threads": 2}, stream="s"), Served("bad", uri="/bad", stream="b"),
        Served("new", "2", "/new", "onnx", {"threads": 2}, "n", batched=True), Served("only", stream="o"),
    ]  # fmt: skip
    assert await serve_all(served, "redis://h", "scurry") == 1
    told = [(update.model, update.WhichOneof("change")) for update in asker.told]
    assert told == [("bad", "register"), ("new", "register"), ("old", "bind"), ("new", "bind"), ("only", "bind")]
    assert (asker.told[1].register.config, asker.told[3].bind.batched) == ('{"threads": 2}', True)
    assert "scurry: bad: load_failed: It is none." in capsys.readouterr().err


async def test_models_are_there_before_streams_are_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The original's example has the stream of a model before the model."""
    asker = Asker()
    monkeypatch.setattr(cluster_serving, "Client", lambda *_, **__: asker)
    served = [Served("one", "1.0", stream="s"), Served("one", "1.0", "/one")]
    assert await serve_all(served, "redis://h", "scurry") == 0
    assert [update.WhichOneof("change") for update in asker.told] == ["register", "bind"]


@pytest.mark.parametrize(
    ("served", "told"),
    [
        (Served("old", uri="/old", config={"threads": 2}), 0), (Served("old", "1", "/old", "onnx", {"threads": 2}), 0),
        (Served("old", uri="/old", config={"threads": 3}), 1), (Served("old", uri="/old"), 1),
        (Served("old", "1", "/old", "torch", {"threads": 2}), 1), (Served("old", uri="/new", config={"threads": 2}), 1),
    ],
)  # fmt: skip
async def test_what_a_file_says_otherwise_is_registered_anew(
    monkeypatch: pytest.MonkeyPatch, served: Served, told: int
) -> None:
    """Options that were changed have effect with the next start."""
    asker = Asker()
    monkeypatch.setattr(cluster_serving, "Client", lambda *_, **__: asker)
    assert await serve_all([served], "redis://h", "scurry") == 0
    assert len(asker.told) == told


def test_several_files_are_one(tmp_path: Path) -> None:
    """The last one's Redis holds."""
    for name in "ab":
        (tmp_path / name).write_text(f"modelPath: m\njobName: {name}\nredisUrl: {name}:1\n")
    whole = read_all(f"{tmp_path / 'a'},{tmp_path / 'b'}")
    assert ([one.model for one in whole.served], whole.redis_url) == (["a", "b"], "redis://b:1")
    assert read_all("").served == []


def test_a_servable_names_the_model_of_its_stream(tmp_path: Path) -> None:
    """The original's front end has a name and version of its own for what a job serves: both files are of one model."""
    (tmp_path / "job").write_text("modelPath: /m\njobName: orders\nthreadPerModel: 2\n")
    lines = ["modelMetaDataList:"]
    for name, stream in (("first", "orders"), ("second", "orders"), ("other", "elsewhere")):
        lines.append(f"- !<ClusterServingMetaData>\n  modelName: {name}\n  redisInputQueue: {stream}")
    (tmp_path / "front").write_text("\n".join(lines))
    named = Served("first", "1", "/m", config={"threads": 2}, stream="orders")
    others = [Served("second", stream="orders"), Served("other", stream="elsewhere")]
    for files in (("job", "front"), ("front", "job")):
        found = read_all(",".join(str(tmp_path / file) for file in files)).served
        assert named in found
        assert [one for one in found if one != named] == others
