"""Load and unload, as messages to a registry that the test is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.gateway.conftest import FakeClient

from scurry.gateway.admin import Admin, Shown
from scurry.gateway.models import Models
from scurry.gateway.repository import Repository
from scurry.wire.errors import InvalidRequest, ScurryError, error
from scurry.wire.messages_pb2 import Update

MINE = Shown()


def version(number: str, state: str, **more: Any) -> dict[str, Any]:
    """A version's part of a record."""
    return {"version": number, "state": state, "uri": "/m.onnx", "runtime": "onnx", "config": {}, **more}


class Registry(FakeClient):
    """Applies loads and unloads; its view follows some looks later."""

    def __init__(self) -> None:
        super().__init__()
        self.applied: list[tuple[str, dict[str, Any]]] = []
        self.behind = 0
        self.refusal: ScurryError | None = None
        self.pending: dict[str, dict[str, Any]] = {}
        graph = {"ensemble_scheduling": {"step": [{"model_name": "m"}, {"model_name": "gone"}, {"model_name": "m"}]}}
        self.records = {
            "m": {"epoch": 4, "versions": [
                version("1", "ready"), version("2", "registered", unloaded_by="request"),
                version("3", "registered", unloaded_by="policy"),
            ]},
            "graph": {"epoch": 1, "versions": [version("1", "ready") | {"runtime": "ensemble", "config": graph}]},
        }  # fmt: skip

    async def update(self, update: Update, **options: Any) -> dict[str, Any]:
        change = json.loads(update.json)
        if self.refusal:
            raise self.refusal
        self.applied.append((update.model, change))
        record = self.records[update.model]
        self.pending[update.model] = record | {"epoch": record["epoch"] + 1}
        self.looks_left = self.behind
        return self.pending[update.model]

    async def record(self, model: str) -> dict[str, Any] | None:
        if model in self.pending and self.looks_left == 0:
            self.records[model] = self.pending[model]
        elif model in self.pending:
            self.looks_left -= 1
        return await super().record(model)


@pytest.fixture
def registry() -> Registry:
    """With a model, and another that is made of it."""
    return Registry()


@pytest.fixture
def repository(registry: Registry) -> Repository:
    """Of a gateway without a key, on this machine."""
    return Repository(Admin(registry, key="", host="127.0.0.1"), Models(registry))


async def test_a_load_loads_every_version_that_the_policy_wants(repository: Repository, registry: Registry) -> None:
    """What is in memory already is told so by the registry."""
    await repository.load("m", {}, MINE)
    assert registry.applied == [("m", {"load": {"version": "1"}}), ("m", {"load": {"version": "2"}})]


async def test_a_load_ends_when_the_view_shows_it(repository: Repository, registry: Registry) -> None:
    """Else whoever asks next would be told that it is not ready."""
    registry.behind = 5
    await repository.load("m", {}, MINE)
    assert registry.looks_left == 0
    assert registry.records["m"]["epoch"] == 5


async def test_a_config_is_registered(repository: Repository, registry: Registry) -> None:
    """Over what was."""
    await repository.load("m", {"config": '{"max_batch_size": "16"}'}, MINE)
    assert registry.applied[0] == (
        "m",
        {"register": {"version": "1", "uri": "/m.onnx", "runtime": "onnx", "config": {"max_batch_size": 16}}},
    )
    assert [change["register"]["version"] for _, change in registry.applied] == ["1", "2"]


async def test_an_unload_unloads_what_is_in_memory(repository: Repository, registry: Registry) -> None:
    """Whoever asks for it means it: `force`."""
    await repository.unload("m", {"unload_dependents": False}, MINE)
    assert registry.applied == [("m", {"unload": {"version": "1", "force": True}})]


async def test_an_unload_with_dependents_unloads_the_steps(repository: Repository, registry: Registry) -> None:
    """Each once, and of those that are not there nothing is said."""
    await repository.unload("graph", {"unload_dependents": True}, MINE)
    assert [model for model, _ in registry.applied] == ["graph", "m"]


@pytest.mark.parametrize(
    ("model", "parameters", "sentence"),
    [
        ("nobody", {}, "failed to load 'nobody', failed to poll from model repository"),
        ("m", {"config": "{"}, "failed to load 'm', its config is not JSON"),
        ("m", {"config": 7}, "failed to load 'm', parameter 'config' must be a text"),
        ("m", {"file:1/model.onnx": "AAAA"}, "failed to load 'm', parameter 'file:1/model.onnx': files cannot be sent"),
        ("m", {"colour": "red"}, "failed to load 'm', there is no parameter 'colour'"),
    ],
)
async def test_what_cannot_be_loaded_is_told_in_tritons_words(
    repository: Repository, registry: Registry, model: str, parameters: dict[str, Any], sentence: str
) -> None:
    """And changes nothing."""
    with pytest.raises(InvalidRequest, match=sentence) as refused:
        await repository.load(model, parameters, MINE)
    assert refused.value.code == "bad_request"
    assert registry.applied == []


@pytest.mark.parametrize(("model", "parameters"), [("nobody", {}), ("m", {"unload_dependents": "yes"})])
async def test_what_cannot_be_unloaded_is_told(
    repository: Repository, registry: Registry, model: str, parameters: dict[str, Any]
) -> None:
    """Likewise."""
    with pytest.raises(InvalidRequest, match=r"failed to unload|Unable to parse"):
        await repository.unload(model, parameters, MINE)
    assert registry.applied == []


@pytest.mark.parametrize(("code", "worded"), [("load_failed", True), ("not_allowed", False), ("unavailable", False)])
async def test_what_the_registry_refuses_keeps_its_code(
    repository: Repository, registry: Registry, code: str, worded: bool
) -> None:
    """In Triton's words where it is the model's fault."""
    registry.refusal = error(code, "As it is.")
    with pytest.raises(ScurryError) as refused:
        await repository.load("m", {}, MINE)
    assert refused.value.code == code
    assert refused.value.message == ("failed to load 'm', As it is." if worded else "As it is.")


@pytest.mark.parametrize("access", [Shown("", True), Shown("guess", True)])
async def test_who_may_not_is_told_nothing_of_the_models(repository: Repository, access: Shown) -> None:
    """A web page cannot see whether there is one."""
    for model in ("m", "nobody"):
        for act in (repository.load, repository.unload):
            with pytest.raises(InvalidRequest) as refused:
                await act(model, {}, access)
            assert refused.value.code == "not_allowed"


async def test_one_version_that_fails_does_not_keep_the_others(repository: Repository, registry: Registry) -> None:
    """All are tried, then the failure is told."""
    applied = registry.update

    async def update(update: Update, **options: Any) -> dict[str, Any]:
        if '"1"' in update.json:
            raise error("load_failed", "No such file.")
        return await applied(update, **options)

    registry.update = update  # type: ignore[method-assign]
    with pytest.raises(ScurryError, match="No such file"):
        await repository.load("m", {}, MINE)
    assert registry.applied == [("m", {"load": {"version": "2"}})]
