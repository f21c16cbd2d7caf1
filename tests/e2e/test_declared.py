"""The registry declared by a file, rolled back, kept to a policy, and fed from a repository, for real."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import Stack, clean_environment
from tests.e2e.test_up import answer, body, eventually, save_model

from scurry.client.blocking import BlockingClient
from scurry.wire.errors import ScurryError
from scurry.wire.messages_pb2 import Update


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four models that multiply by 1, 2, 3 and 4."""
    folder = tmp_path_factory.mktemp("models")
    for factor in (1, 2, 3, 4):
        save_model(folder / f"{factor}.onnx", factor)
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for most of these tests."""
    running = Stack(tmp_path_factory.mktemp("first"))
    yield running
    running.stop()


def record(stack: Stack, name: str) -> dict[str, Any]:
    """A model's record."""
    shown: dict[str, Any] = json.loads(stack.run("models", "show", name, "--json").stdout)
    return shown


def routing(stack: Stack, name: str) -> dict[str, Any]:
    """How its requests go."""
    shown = record(stack, name)
    return {part: shown[part] for part in ("routes", "aliases", "weights", "policy")}


def test_what_was_exported_is_applied_to_a_fresh_job(
    first: Stack, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same versions, shares, aliases, policy and pins; applied again it changes nothing and says so."""
    for version in ("1", "2", "3"):
        first.register("out", models / f"{version}.onnx", version)
    first.run("models", "split", "out", "1=1", "3=3")
    first.run("models", "alias", "out", "stable", "2")
    first.run("models", "pin", "out", "1")
    first.register("plain", models / "1.onnx", "a")
    first.register("plain", models / "2.onnx", "b")
    text = first.run("models", "export", "out", "plain").stdout
    folder = tmp_path_factory.mktemp("second")
    (folder / "models.json").write_text(text)
    second = Stack(folder / "stack")
    try:
        shown = second.run("models", "apply", str(folder / "models.json"), "--dry-run").stdout
        assert "register" in shown
        assert json.loads(second.run("models", "list", "--json").stdout) == []
        second.run("models", "apply", str(folder / "models.json"))
        for name in ("out", "plain"):
            assert routing(second, name) == routing(first, name)
        assert [one["pinned"] for one in record(second, "out")["versions"]] == [True, False, False]
        assert answer(second, "out", 1, "--version", "stable") == 2
        assert answer(second, "plain", 1) == 2
        assert "Nothing to change" in second.run("models", "apply", str(folder / "models.json")).stdout
        assert second.run("models", "export").stdout == text
    finally:
        second.stop()


class Traffic:
    """Requests that name no version, one after the other, as long as the block lasts; what answered and what failed."""

    def __init__(self, stack: Stack, model: str) -> None:
        self._url, self._model = stack.redis_url, model
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answers: list[float] = []
        self.failures: list[str] = []

    def _ask(self) -> None:
        with BlockingClient(self._url) as client:
            row = np.ones((1, 4), np.float32)
            while not self._over.is_set():
                try:
                    self.answers.append(float(client.infer(self._model, {"x": row})["y"][0, 0]))
                except ScurryError as failure:
                    self.failures.append(f"{failure.code}: {failure.message}")

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)


def states(stack: Stack, name: str) -> dict[str, str]:
    """The state of each version."""
    return {one["version"]: one["state"] for one in record(stack, name)["versions"]}


def test_under_latest_two_four_versions_come_without_an_error(first: Stack, models: Path) -> None:
    """Each new one takes over once it is ready, the oldest leaves memory; answers only go forward."""
    first.register("roll", models / "1.onnx", "1")
    first.run("models", "policy", "roll", "--latest", "2")
    with Traffic(first, "roll") as traffic:
        for version in ("2", "3", "4"):
            first.register("roll", models / f"{version}.onnx", version)
        wanted = {"1": "registered", "2": "registered", "3": "ready", "4": "ready"}
        eventually(lambda: states(first, "roll") == wanted, 30, "two versions in memory")
        eventually(lambda: traffic.answers[-1] == 4, 10, "an answer by the newest")
    assert traffic.failures == []
    assert traffic.answers == sorted(traffic.answers)
    assert set(traffic.answers) == {1, 2, 3, 4}
    refused = first.run("predict", "roll", "--json", body(1), "--version", "1", check=False)
    assert "model_not_ready" in refused.stderr
    first.run("models", "unregister", "roll", "--version", "4", "--force")
    eventually(lambda: states(first, "roll") == {"1": "registered", "2": "ready", "3": "ready"}, 30, "a refill")
    assert answer(first, "roll", 1) == 3
    assert answer(first, "roll", 1, "--version", "2") == 2


def test_three_rollbacks_go_back_three_changes(first: Stack, models: Path) -> None:
    """Without an error under way; a fourth has nothing to go back to."""
    first.register("back", models / "1.onnx", "1")
    first.register("back", models / "2.onnx", "2")
    first.run("models", "alias", "back", "stable", "1")
    first.run("models", "split", "back", "1=1")
    with Traffic(first, "back") as traffic:
        first.run("models", "promote", "back", "2")
        seen = []
        for _ in range(4):
            first.run("models", "rollback", "back")
            seen.append(routing(first, "back"))
    assert traffic.failures == []
    assert [one["routes"] for one in seen] == [{"1": 1}, {"2": 1}, {"2": 1}, {"1": 1}]
    assert [one["aliases"] for one in seen] == [{"stable": "1"}, {"stable": "1"}, {}, {}]
    assert first.run("models", "rollback", "back", check=False).returncode == 1


def test_load_unload_and_pin(first: Stack, models: Path) -> None:
    """Out of memory it is refused by name, and back it answers; the record says what is pinned."""
    first.register("shelf", models / "1.onnx", "1")
    first.register("shelf", models / "2.onnx", "2")
    assert first.run("models", "unload", "shelf", "2", check=False).returncode == 1
    first.run("models", "unload", "shelf", "1")
    refused = first.run("predict", "shelf", "--json", body(1), "--version", "1", check=False)
    assert "load it" in refused.stderr
    first.run("models", "load", "shelf", "1")
    assert answer(first, "shelf", 1, "--version", "1") == 1
    first.run("models", "pin", "shelf", "1")
    assert "version 1 is pinned" in first.run("models", "show", "shelf").stdout


def test_the_registry_as_it_was(first: Stack, models: Path, tmp_path: Path) -> None:
    """A past time is exported, shown, and comes back when it is applied."""
    first.register("past", models / "1.onnx", "1")
    first.run("models", "alias", "past", "stable", "1")
    time.sleep(1.1)
    then = time.time()
    was = first.run("models", "export", "past").stdout
    first.register("past", models / "2.onnx", "2")
    first.run("models", "alias", "past", "stable", "2")
    assert first.run("models", "export", "past", "--at", f"{then}").stdout == was
    shown = json.loads(first.run("models", "history", "past", "--at", f"{then}", "--json").stdout)
    assert shown["aliases"] == {"stable": "1"}
    (tmp_path / "was.json").write_text(was)
    declared = json.loads(was)
    declared["models"] |= {name: one for name, one in everything(first)["models"].items() if name != "past"}
    (tmp_path / "was.json").write_text(json.dumps(declared))
    with Traffic(first, "past") as traffic:
        first.run("models", "apply", str(tmp_path / "was.json"), "--prune", "--yes")
    assert traffic.failures == []
    eventually(lambda: first.run("models", "export", "past").stdout == was, 30, "what was")
    assert answer(first, "past", 1) == 1


def everything(stack: Stack) -> dict[str, Any]:
    """All that is declared."""
    said: dict[str, Any] = json.loads(stack.run("models", "export").stdout)
    return said


def test_a_version_that_is_copied_slowly_is_registered_whole(first: Stack, models: Path, tmp_path: Path) -> None:
    """While a repository is watched; its policy is followed, and what vanishes goes."""
    repository = tmp_path / "repository"
    (repository / "grown" / "1").mkdir(parents=True)
    shutil.copy(models / "1.onnx", repository / "grown" / "1" / "model.onnx")
    (repository / "grown" / "config.pbtxt").write_text("version_policy: { latest: { num_versions: 1 } }")
    watching = subprocess.Popen(
        [sys.executable, "-m", "scurry", "models", "scan", str(repository), "--watch", "--interval", "1", "--prune"],
        env=clean_environment() | {"SCURRY_REDIS_URL": first.redis_url}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        eventually(lambda: seen(first, "grown") == {"1": "ready"}, 30, "the first version")
        content = (models / "2.onnx").read_bytes()
        target = repository / "grown" / "2" / "model.onnx"
        target.parent.mkdir()
        with target.open("wb", buffering=0) as file:
            for at in range(len(content)):
                if at % max(1, len(content) // 8) == 0:
                    time.sleep(0.5)
                file.write(content[at : at + 1])
        eventually(lambda: seen(first, "grown") == {"1": "registered", "2": "ready"}, 30, "the second version")
        assert answer(first, "grown", 1) == 2
        shutil.rmtree(repository / "grown")
        eventually(lambda: seen(first, "grown") == {}, 30, "its end")
    finally:
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 130
        told = watching.stderr.read() if watching.stderr else ""
        watching.stderr.close() if watching.stderr else None
    assert "load_failed" not in told, told


BAD: list[tuple[dict[str, Any], str]] = [
    ({"register": {"uri": "a.onnx", "version": "a/b"}}, "bad_request"),
    ({"register": {"uri": "/no/such.onnx"}}, "load_failed"),
    ({"alias": {"alias": "a@b", "version": "1"}}, "bad_request"),
    ({"alias": {"alias": "a\n", "version": "1"}}, "bad_request"),
    ({"alias": {"alias": "a", "version": "9"}}, "version_not_found"),
    ({"split": {"weights": {"1": -1}}}, "bad_request"),
    ({"split": {"weights": {"1": 0}}}, "bad_request"),
    ({"unregister": {"version": "1"}}, "not_allowed"),
    ({"unload": {"version": "1"}}, "not_allowed"),
    ({"policy": {"latest": 0}}, "bad_request"),
    ({"routes": {}}, "bad_request"),
    ({"fly": {}}, "bad_request"),
]


def test_bad_input_is_refused_and_hurts_no_other_model(first: Stack, models: Path) -> None:
    """A code and a sentence each, through the real job; an unknown name in a config as well."""
    first.register("sound", models / "3.onnx", "1")
    first.register("victim", models / "1.onnx", "1")
    was = first.run("models", "export", "sound", "victim").stdout
    unknown = {"register": {"uri": str(models / "2.onnx"), "version": "2", "config": {"thread": 1}}}
    with Traffic(first, "sound") as traffic, BlockingClient(first.redis_url) as client:
        for change, code in [*BAD, (unknown, "load_failed")]:
            with pytest.raises(ScurryError) as refused:
                client.update(Update(model="victim", json=json.dumps(change)))
            assert (refused.value.code, refused.value.message[-1] in ".?") == (code, True), change
        assert "'threads' meant" in refused.value.message
        with pytest.raises(ScurryError):
            client.update(Update(model="a/b", json='{"rollback": {}}'))
    assert traffic.failures == []
    assert set(traffic.answers) == {3}
    assert first.run("models", "export", "sound", "victim").stdout == was


def seen(stack: Stack, name: str) -> dict[str, str]:
    """States in the view; nothing without the model."""
    with BlockingClient(stack.redis_url) as client:
        return {one["version"]: one["state"] for one in client.models().get(name, {}).get("versions", ())}
