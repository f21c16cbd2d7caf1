"""Which pool holds a version, and what becomes of one that the job has no endpoint for."""

from __future__ import annotations

import json

import pytest
from tests.unit.registry.course import BLANK, Course, ready, register

from scurry.registry import pools
from scurry.registry.lifecycle import advance
from scurry.registry.record import find, routes_of
from scurry.registry.steps import Answer, AskUnload, Progress
from scurry.registry.views import view
from scurry.wire.messages_pb2 import FAILED, LOADING, Drained, Loaded, LoadFailed, Record, Remind, Update

BOUND = ("example/upper", "scurry/inference.gpu", "scurry/inference.large")


def refusal(update: Update, functions: tuple[str, ...] | None = BOUND, record: Record = BLANK) -> tuple[str, str]:
    """Code and sentence with which a registration is refused; the record stays."""
    after, effects = advance(record, update, 1, functions)
    (answer,) = [effect for effect in effects if isinstance(effect, Answer)]
    assert after == record
    return answer.code, answer.message


def pooled(pool: str = "gpu", version: str = "1") -> Course:
    """A version that takes requests in a pool."""
    return Course().on(register(version, config={"pool": pool})).load(version)


def test_the_config_names_the_pool_and_all_are_told_of_it() -> None:
    """Spec, routes and view."""
    out = pooled()
    (route,) = routes_of(out.record).versions
    assert route.spec.pool == "gpu"
    assert json.loads(view(out.record))["versions"][0]["pool"] == "gpu"


@pytest.mark.parametrize("config", [{}, {"pool": "default"}])
def test_the_default_pool_has_no_name_on_the_way(config: dict[str, str]) -> None:
    """What never heard of pools works as before; readers see the name."""
    out = Course().on(register("1", config=config)).load()
    (route,) = routes_of(out.record).versions
    assert route.spec.pool == ""
    assert json.loads(view(out.record))["versions"][0]["pool"] == "default"


def test_a_pool_without_an_endpoint_is_refused_with_those_there_are() -> None:
    """By name; a job whose functions nobody knows has any."""
    code, sentence = refusal(register("1", config={"pool": "tpu"}))
    assert code == "bad_request"
    assert "no endpoint for pool 'tpu' (scurry/inference.tpu); its pools are default, gpu, large." in sentence
    assert "its pools are default." in refusal(register("1", config={"pool": "tpu"}), ())[1]
    for functions in (BOUND, None):
        record, _ = advance(BLANK, register("1", config={"pool": "gpu"}), 1, functions)
        assert record.versions[0].state == LOADING


@pytest.mark.parametrize("pool", ["GPU", "", 5, None, "a b", ["gpu"]])
def test_what_is_no_name_is_refused(pool: object) -> None:
    """Whatever JSON can hold."""
    code, sentence = refusal(register("1", config={"pool": pool}), None)
    assert code == "bad_request"
    assert "register.config.pool must be the name of a pool of workers" in sentence


def test_a_users_function_is_in_no_pool() -> None:
    """It is no worker's to answer."""
    _, sentence = refusal(register("1", uri="example/upper", runtime="function", config={"pool": "gpu"}))
    assert "a user's function answers this version" in sentence
    shown = view(Course().on(register("1", uri="a/b", runtime="function")).record)
    assert "pool" not in json.loads(shown)["versions"][0]


@pytest.mark.parametrize(("now", "then"), [("gpu", "large"), ("gpu", "default"), ("default", "gpu")])
def test_what_takes_requests_stays_in_its_pool(now: str, then: str) -> None:
    """Requests and states are under way there: the refusal says how it is done."""
    out = pooled(now)
    code, sentence = refusal(register("1", config={"pool": then}), BOUND, out.record)
    assert code == "not_allowed"
    assert f"takes requests in pool '{now}', and stays there: register it in pool '{then}' as a new version" in sentence
    record, _ = advance(out.record, register("1", "b.onnx", config={"pool": now}), 1, BOUND)
    assert record.versions[0].HasField("serving")
    assert refusal(register("1", config={"pool": then}), BOUND, record)[0] == "not_allowed"


def test_a_new_version_may_be_elsewhere() -> None:
    """Versions of one model in different pools."""
    out = pooled().on(register("2", config={"pool": "large"})).load("2")
    assert {route.version: route.spec.pool for route in routes_of(out.record).versions} == {"1": "gpu", "2": "large"}


def test_what_is_out_of_memory_may_move() -> None:
    """Nothing is under way to what failed, or was unloaded."""
    lost = LoadFailed(version="1", generation=1, error="load_failed")
    failed = Course().on(register("1", config={"pool": "gpu"}), lost)
    assert failed.state() == FAILED
    assert failed.of(AskUnload) == [AskUnload("1", 1, failed.identities["1", 1], "gpu")]
    assert failed.on(register("1", config={"pool": "large"})).record.versions[0].spec.pool == "large"
    laid = pooled().on(Update(model="m", json='{"unload": {"version": "1", "force": true}}'))
    laid.on(Drained(version="1", generation=1))
    assert laid.of(AskUnload) == [AskUnload("1", 1, laid.identities["1", 1], "gpu")]
    assert laid.on(register("1")).record.versions[0].spec.pool == ""


def test_what_is_replaced_is_dropped_in_its_own_pool() -> None:
    """A registration that was still loading, one that requests went to, and one that nobody wants any more."""
    out = Course().on(register("1", config={"pool": "gpu"})).on(register("1", config={"pool": "large"}))
    assert out.of(AskUnload) == [AskUnload("1", 1, out.identities["1", 1], "gpu")]
    late = out.on(Loaded(version="1", generation=1, pool="gpu"))
    assert late.of(AskUnload) == [AskUnload("1", 1, out.identities["1", 1], "gpu")]
    again = pooled().on(register("1", "b.onnx", config={"pool": "gpu"})).load().on(Drained(version="1", generation=1))
    assert again.of(AskUnload) == [AskUnload("1", 1, again.identities["1", 1], "gpu")]


def test_without_its_endpoint_a_version_cannot_be_loaded_and_says_so() -> None:
    """A job that was started with fewer pools: what is to be loaded there fails at once, not in ten minutes."""
    waiting = Course().on(register("1", token="u", config={"pool": "gpu"}))
    record, effects = advance(waiting.record, Remind(version="1", generation=1, attempt=1), 1, ())
    entry = find(record, "1")
    assert entry is not None
    assert (entry.state, entry.error) == (FAILED, "unavailable")
    (answer,) = [effect for effect in effects if isinstance(effect, Answer)]
    assert (answer.update.id, answer.code) == ("u", "load_failed")
    assert answer.message == pools.missing((), "gpu")


def test_loading_begins_where_there_is_an_endpoint() -> None:
    """And nowhere else."""
    out = ready("1")
    entry = out.record.versions[0]
    entry.spec.pool = "gpu"
    for functions, state in ((BOUND, LOADING), ((), FAILED)):
        record = Record()
        record.CopyFrom(out.record)
        Progress(record, functions=functions).begin_load(record.versions[0])
        assert record.versions[0].state == state
