"""On a real cluster: installed, declared, rolled, killed, upgraded; every request is accounted for."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.chaos.ledgered import Ledgered
from tests.cluster.keep_alive import KeepAlive
from tests.cluster.release import Release, waited
from tests.conftest import ROOT, clean_environment

DECLARED = '{"double":{"versions":[{"version":"1","uri":"/models/double.onnx"}]}}'
RATE = 40.0
CALM_S = 10
PAGES = {"gateway": 8002, "functions": 8100, "worker": 8110, "job": 9249}
LOST_S = {"taskmanager": 15.0, "jobmanager": 25.0}
"""What the loss of one may take: told beside what it took, never asserted."""


def until(holds: Callable[[], bool], seconds: float) -> None:
    """Return when it holds; fail when the time is over."""
    for _ in waited(seconds):
        if holds():
            return
    pytest.fail(f"not within {seconds:.0f} s")


def test_it_is_ready_on_two_cores_and_nothing_restarts(release: Release) -> None:
    """One command, and every Deployment is as wanted; the gateway answers that it is ready."""
    release.rolled_out()
    until(lambda: says_yes(release, "health/ready"), 180)
    assert release.restarts() == {}


def says_yes(release: Release, path: str) -> bool:
    """Whether the gateway answers a question of health with 200."""
    try:
        url = f"http://{release.address('scurry-gateway')}:8000/v2/{path}"
        with urllib.request.urlopen(url, timeout=5) as page:
            return bool(page.status == 200)
    except OSError:
        return False


def served(release: Release) -> bool:
    """Whether the model that is declared can be asked."""
    return says_yes(release, "models/double/ready")


def test_a_declared_model_comes_and_goes(release: Release) -> None:
    """Nobody reaches Redis: values say which models there are; what is no longer said is unregistered."""
    release.helm("upgrade", models__declared=DECLARED, models__apply__prune="true")
    until(lambda: served(release), 180)
    release.helm("upgrade", models__declared="{}")
    until(lambda: not served(release), 180)
    release.helm("upgrade", models__declared=DECLARED, models__apply__prune="false")
    until(lambda: served(release), 180)


def test_every_process_has_a_page_of_metrics(release: Release) -> None:
    """Each pod of the release, at the port that it names to Prometheus."""
    seen = set()
    for pod in release.pods():
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        if component not in PAGES:
            continue
        with urllib.request.urlopen(f"http://{pod['status']['podIP']}:{PAGES[component]}/metrics", timeout=10) as page:
            assert b"# TYPE" in page.read()
        seen.add(component)
    assert seen == set(PAGES)


class Watched:
    """Both loads, and a table of what each fault did to them."""

    def __init__(self, release: Release, folder: Path) -> None:
        redis = f"redis://{release.address('scurry-redis')}:6379/0"
        self.ledgered = Ledgered(redis, folder, Path("/models"), RATE)
        self.http = KeepAlive(f"http://{release.address('scurry-gateway')}:8000", "double", RATE)
        self.lines = [f"{'what happened':<40}{'slowest answer':>18}{'failures':>12}"]
        self.ledgered.begin()
        self.http.start()

    def fault(self, name: str, act: Callable[[], object]) -> list[str]:
        """Let it happen, and wait until nobody waits any more; the failures over HTTP."""
        self.http.lap()
        act()
        self.settle()
        slowest, failures = self.http.lap()
        self.lines.append(f"{name:<40}{slowest:>16.1f} s{len(failures):>12}")
        print(self.lines[-1], failures[:3], flush=True)
        return failures

    def settle(self) -> None:
        """Return after ten seconds in which what was sent was answered at once, at both doors."""
        calm = 0
        for _ in waited(240):
            calm = calm + 1 if max(self.http.waiting, self.ledgered.checker.waiting) < RATE else 0
            if calm == CALM_S:
                return
        pytest.fail("requests still wait after 240 s")

    def end(self) -> None:
        """The table and the ledger, and whether they hold."""
        self.http.stop()
        ledger = asyncio.run(self.ledgered.end())
        self.lines.append(f"over HTTP: {self.http.sent} sent, {dict(self.http.outcomes)}")
        print("\n".join([*self.lines, *ledger.lines()]))
        assert ledger.holds
        assert self.http.sent == sum(self.http.outcomes.values())
        assert not [one for one in self.http.outcomes if one.startswith(("wrong", "the answer of another"))]


@pytest.fixture(scope="module")
def watched(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Asked all the time from here on; what must be zero is looked at in the end."""
    until(lambda: served(release), 180)
    made = Watched(release, tmp_path_factory.mktemp("ledger"))
    asyncio.run(made.ledgered.answered())
    yield made
    made.end()


def rolling(release: Release, name: str) -> None:
    """Replace its pods one after the other."""
    release.kubectl("rollout", "restart", f"deployment/{name}")
    release.kubectl("rollout", "status", f"deployment/{name}", "--timeout=300s", timeout=330)
    time.sleep(5)


@pytest.mark.parametrize("part", ["gateway", "functions", "workers"])
def test_a_rolling_restart_breaks_nothing(release: Release, watched: Watched, part: str) -> None:
    """No error of any kind over connections that are kept."""
    assert watched.fault(f"rolling restart of {part}", lambda: rolling(release, f"scurry-{part}")) == []


def test_more_and_fewer_workers_break_nothing(release: Release, watched: Watched) -> None:
    """1 to 3 to 1."""

    def scaled(count: int) -> None:
        release.kubectl("scale", "deployment/scurry-workers", f"--replicas={count}")
        release.kubectl("rollout", "status", "deployment/scurry-workers", "--timeout=300s", timeout=330)
        time.sleep(5)

    assert watched.fault("1 to 2 workers", lambda: scaled(2)) == []
    assert watched.fault("2 to 1 workers", lambda: scaled(1)) == []


@pytest.mark.parametrize("part", ["worker", "functions", "taskmanager", "jobmanager"])
def test_a_pod_that_dies_at_once_loses_nothing(release: Release, watched: Watched, part: str) -> None:
    """Deleted without grace; requests wait, and are answered."""
    selector = next(one for one in selectors(part) if release.pods(one))

    def kill() -> None:
        for pod in release.pods(selector):
            release.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")

    failures = watched.fault(f"{part} deleted without grace", kill)
    print(f"{part}: the loss may take {LOST_S.get(part, 2.0):.0f} s")
    assert failures == []
    release.rolled_out()


def selectors(part: str) -> tuple[str, ...]:
    """The pods of a part: those of the chart, or of the operator."""
    if part in LOST_S:
        return f"scurry/role={part}", f"component={part}"
    return (f"app.kubernetes.io/component={part}",)


def job(release: Release, *words: str) -> tuple[int, dict[str, object]]:
    """`scurry job …` and what it prints as JSON."""
    where = ("--kubernetes", release.namespace)
    if release.values["job.mode"] == "operator":
        where = ("--operator", "scurry", "--namespace", release.namespace)
    command = [sys.executable, "-m", "scurry", "job", *words, *where, "--json"]
    environ = clean_environment() | {name: os.environ[name] for name in ("KUBECONFIG",) if name in os.environ}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=ROOT, timeout=600, check=False)
    return done.returncode, json.loads(done.stdout)


def test_a_change_takes_effect_by_one_command(release: Release, watched: Watched) -> None:
    """Another parallelism and another module through `scurry job upgrade`, state kept."""
    release.set(job__slots="2", job__parallelism="2", module__more="# another module")

    def change() -> None:
        status, told = job(release, "upgrade", "--change-with", shlex.join(release.command("upgrade")))
        assert status == 0, told

    assert watched.fault("upgrade: parallelism, module", change) == []
    status, told = job(release, "status")
    assert (status, told["parallelism"]) == (0, 2)


def test_a_change_that_was_not_by_the_command_changes_nothing(release: Release, watched: Watched) -> None:
    """In standalone mode the JobManager's new pod refuses, and the former one goes on."""
    if release.values["job.mode"] != "standalone":
        pytest.skip("the operator takes the savepoint itself")
    release.set(job__onGap="resume")

    def change() -> None:
        release.helm("upgrade")
        until(lambda: "High availability keeps a job that differs" in refusal(release), 120)

    assert watched.fault("helm upgrade by itself: refused", change) == []
    release.set(job__onGap="fail")
    assert watched.fault("taken back", lambda: release.helm("upgrade")) == []
    release.rolled_out()


def refusal(release: Release) -> str:
    """What JobManagers that ended wrote."""
    told = ""
    for pod in release.pods("scurry/role=jobmanager"):
        for flag in ("--previous", "--previous=false"):
            try:
                told += release.kubectl("logs", pod["metadata"]["name"], flag, "--tail=5")
            except RuntimeError:
                continue
    return told


def test_an_upgrade_that_does_not_start_goes_back(release: Release, watched: Watched) -> None:
    """A module that names nonsense; the former job goes on from the same savepoint."""
    if release.values["job.mode"] != "standalone":
        pytest.skip("whether the operator rolls back is its own setting")
    release.set(module__more="kind: nonsense")

    def change() -> None:
        words = ("upgrade", "--timeout", "60", "--change-with", shlex.join(release.command("upgrade")))
        status, told = job(release, *words)
        assert status == 1, told
        assert "The former one goes on from the same savepoint" in str(told["message"]), told

    assert watched.fault("an upgrade that goes back", change) == []
    release.set(module__more="# another module")
