"""Pools of workers that `scurry up` starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from scurry.job.jars import Job
from scurry.job.module import bound_functions
from scurry.rules import RULES, InvalidSettings
from scurry.serving.addresses import Addresses, choose
from scurry.serving.folder import Folder
from scurry.serving.plans import Plans
from scurry.serving.pools import addresses, extended, of_workers, prepared
from scurry.serving.processes import StartFailed
from scurry.settings import UpSettings, WorkerSettings, load, read

MODULE = (Path(__file__).resolve().parents[3] / "module.yaml").read_text()
SETTINGS = UpSettings(worker_pool="gpu=1,large=2")
AT = Addresses(
    host="127.0.0.1", redis_url="redis://127.0.0.1:6/0", redis=6, functions=7, workers=(8, 9), http=10, ui=13,
    bridge=14, pools=("default", "gpu"),
)  # fmt: skip


def endpoints(text: str) -> dict[str, dict[str, object]]:
    """By function, what a module says of its endpoint."""
    documents = [one["spec"] for one in yaml.safe_load_all(text) if one and "endpoints" in one["kind"]]
    return {one["functions"]: one for one in documents}


def test_every_worker_has_a_pool() -> None:
    """Those of the default one come first."""
    assert of_workers(SETTINGS, 2) == ("default", "default", "gpu", "large", "large")
    assert of_workers(UpSettings(), 1) == ("default",)


def test_each_pool_gets_the_default_endpoint_with_addresses_of_its_own() -> None:
    """Whatever else the default one says holds for all."""
    made = endpoints(extended(MODULE, ["gpu", "a-b"]))
    assert bound_functions(extended(MODULE, ["gpu", "a-b"])) == ("scurry/inference.a-b", "scurry/inference.gpu")
    was = endpoints(MODULE)["scurry/inference"]
    assert was == made["scurry/inference"]
    for pool, variable in (("gpu", "GPU"), ("a-b", "A_B")):
        other = made[f"scurry/inference.{pool}"]
        transport = {**was["transport"], "addresses": f"${{SCURRY_WORKERS_{variable}}}"}  # type: ignore[dict-item]
        assert other == {**was, "functions": f"scurry/inference.{pool}", "transport": transport}


def test_a_pool_that_the_module_binds_is_left_to_it() -> None:
    """Extended twice it is the same."""
    once = extended(MODULE, ["gpu"])
    assert endpoints(extended(once, ["gpu"])) == endpoints(once)


@pytest.mark.parametrize("text", ["kind: x\n", "spec:\n  functions: scurry/inference\n"])
def test_a_module_without_that_endpoint_cannot_be_extended(text: str) -> None:
    """There is nothing to be like."""
    with pytest.raises(StartFailed, match="no endpoint of scurry/inference with addresses"):
        extended(text, ["gpu"])


def test_the_module_lies_in_the_data_directory(tmp_path: Path) -> None:
    """Ours is left alone, and used where there are no further pools."""
    module = tmp_path / "module.yaml"
    module.write_text(MODULE)
    job, folder = Job(tmp_path / "j.jar", module, tmp_path), Folder(tmp_path / "data")
    folder.path.mkdir()
    assert prepared(job, UpSettings(), folder) is job
    made = prepared(job, SETTINGS, folder)
    assert made.module == (folder.path / "module.yaml").resolve()
    assert bound_functions(made.module.read_text()) == ("scurry/inference.gpu", "scurry/inference.large")
    assert module.read_text() == MODULE


def test_the_job_and_the_workers_are_told(tmp_path: Path) -> None:
    """Addresses by variable, those of pools that others run too; a worker its pool, unless it is the default one."""
    folder = Folder(tmp_path)
    folder.claim()
    environ = {"SCURRY_WORKERS_ELSEWHERE": "http://e:1", "SCURRY_WORKERS_GPU": "http://old:1", "SCURRY_POOL": "x"}
    plans = Plans(SETTINGS, AT, folder, environ)
    told = plans.job("java", Job(tmp_path, tmp_path, tmp_path)).environ
    folder.release()
    assert (told["SCURRY_WORKERS"], told["SCURRY_WORKERS_GPU"]) == ("http://127.0.0.1:8", "http://127.0.0.1:9")
    assert told["SCURRY_WORKERS_ELSEWHERE"] == "http://e:1"
    first, second = plans.workers(4)
    assert "--pool" not in first.command
    assert second.command[second.command.index("--pool") + 1] == "gpu"
    assert not any("SCURRY_POOL" in plan.environ for plan in (first, second))


def test_addresses_are_told_with_their_pools() -> None:
    """For `scurry top` and those who scrape; without further pools all are of the default one."""
    assert AT.shown()["worker_pools"] == ["default", "gpu"]
    assert replace(AT, pools=()).worker_pools == ["default", "default"]
    assert addresses(replace(AT, pools=()), {}) == {"SCURRY_WORKERS": "http://127.0.0.1:8,http://127.0.0.1:9"}
    chosen = choose(SETTINGS, 3, {}, pools=of_workers(SETTINGS, 1))
    assert (len(chosen.workers), chosen.worker_pools) == (4, ["default", "gpu", "large", "large"])


def test_settings_name_pools() -> None:
    """A worker's own and those of `scurry up`; an address of a pool is a known variable, its like is not."""
    environ = {"SCURRY_POOL": "gpu", "SCURRY_WORKERS_GPU": "http://w:1"}
    assert load(WorkerSettings, None, environ).pool == "gpu"
    assert read("--worker-pool", "worker_pool", "gpu=2, x=1", str) == "gpu=2, x=1"
    with pytest.raises(InvalidSettings, match="SCURRY_WORKER_GPU is not a setting"):
        load(WorkerSettings, None, {"SCURRY_WORKER_GPU": "http://w:1"})


@pytest.mark.parametrize("text", ["gpu", "gpu=0", "gpu=x", "default=1", "GPU=1", "gpu=1,gpu=2", "gpu=257", "=1"])
def test_what_names_no_pools(text: str) -> None:
    """Refused with an example."""
    with pytest.raises(InvalidSettings, match="gpu=1,large=2"):
        read("--worker-pool", "worker_pool", text, str)
    assert RULES["worker_pool"]
