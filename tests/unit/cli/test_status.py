"""What a `scurry up` runs, and whether it is ready."""

from __future__ import annotations

import json
import os

import pytest

from scurry.cli import status
from scurry.cli.main import main

UP = {
    "pid": os.getpid(),
    "ready": True,
    "http_url": "http://127.0.0.1:1",
    "grpc_url": "grpc://127.0.0.1:5",
    "functions_url": "http://127.0.0.1:2",
    "worker_urls": ["http://127.0.0.1:3"],
    "redis_url": "redis://127.0.0.1:4/0",
    "ui_url": "",
    "processes": {
        name: {"pid": 7, "state": "running", "restarts": 1}
        for name in ("redis", "functions", "worker-0", "job", "gateway")
    },
}


@pytest.fixture
def answers(monkeypatch):
    """What each port answers; all are ready."""
    ready = {1: True, 2: True, 3: True, 4: True}

    async def http(host, port, path):
        assert path == ("/v2/health/ready" if port == 1 else "/readyz")
        return ready[port]

    async def redis(url):
        return ready[4]

    monkeypatch.setattr(status, "http_says_ready", http)
    monkeypatch.setattr(status, "redis_answers", redis)
    return ready


def written(tmp_path, **changes):
    """A directory of a running `scurry up`."""
    (tmp_path / "scurry.json").write_text(json.dumps(UP | changes))
    return str(tmp_path)


def test_a_worker_of_a_further_pool_is_shown_with_it(answers, tmp_path, capsys):
    """Of the default one as ever; for machines each has its pool."""
    both = UP["processes"] | {"worker-1": UP["processes"]["worker-0"]}
    folder = written(
        tmp_path, worker_urls=["http://127.0.0.1:3"] * 2, worker_pools=["default", "gpu"], processes=both
    )
    assert main(["status", "--dir", folder]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines if line.startswith("worker")] == ["worker-0", "worker-1 (gpu)"]
    assert main(["status", "--dir", folder, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["processes"]
    assert {one["process"]: one["pool"] for one in told if "pool" in one} == {"worker-0": "default", "worker-1": "gpu"}


def test_all_that_is_ready_exits_with_0(answers, tmp_path, capsys):
    """With a line for each process and where it listens."""
    assert main(["status", "--dir", written(tmp_path)]) == 0
    head, columns, *lines = capsys.readouterr().out.splitlines()
    assert head == f"scurry is ready (process {os.getpid()}, {tmp_path})"
    assert columns.split() == list(status.COLUMNS)
    assert [line.split()[0] for line in lines] == list(UP["processes"])
    assert lines[4].split()[-2:] == ["http://127.0.0.1:1", "grpc://127.0.0.1:5"]
    assert lines[2].split() == ["worker-0", "running", "yes", "7", "1", "http://127.0.0.1:3"]


@pytest.mark.parametrize("port", [1, 2, 3, 4])
def test_one_that_is_not_ready_exits_with_1(answers, port, tmp_path, capsys):
    """Whichever it is."""
    answers[port] = False
    assert main(["status", "--dir", written(tmp_path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ready"] is False
    assert [one["ready"] for one in told["processes"]].count(False) == 1


def test_what_refuses_to_start_is_not_ready(answers, tmp_path, capsys):
    """As the supervisor has written it down."""
    processes = UP["processes"] | {"job": {"pid": 0, "state": "refused", "restarts": 0}}
    assert main(["status", "--dir", written(tmp_path, processes=processes, ready=False)]) == 1
    out = capsys.readouterr().out
    assert "scurry is not ready" in out
    assert next(line for line in out.splitlines() if line.startswith("job")).split()[:3] == ["job", "refused", "no"]


def test_a_job_with_a_web_ui_is_asked_there(answers, tmp_path, capsys, monkeypatch):
    """A job that restarts in a loop runs as a process but does not work."""
    asked = []

    async def rest(host, port):
        asked.append((host, port))
        return False

    monkeypatch.setattr(status, "rest_says_running", rest)
    assert main(["status", "--dir", written(tmp_path, ui_url="http://127.0.0.1:9")]) == 1
    assert asked == [("127.0.0.1", 9)]


TWO = {name: one for name, one in UP["processes"].items() if name != "gateway"} | {
    f"gateway-{number}": {"pid": 70 + number, "state": "running", "restarts": 0} for number in (0, 1)
}


@pytest.mark.parametrize("told", [{70: True, 71: False}, {70: None, 71: False}])
def test_a_gateway_is_not_ready_because_another_answers(answers, told, tmp_path, capsys, monkeypatch):
    """Each must listen itself at the port they share; the port must answer."""
    monkeypatch.setattr(status, "listens", lambda pid, port: told[pid])
    assert main(["status", "--dir", written(tmp_path, processes=TWO)]) == 1
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[-2:]]
    assert [line[:3] for line in lines] == [["gateway-0", "running", "yes"], ["gateway-1", "running", "no"]]
    assert {tuple(line[-2:]) for line in lines} == {(UP["http_url"], UP["grpc_url"])}
    answers[1] = False
    main(["status", "--dir", written(tmp_path, processes=TWO)])
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()[-2:]] == ["no", "no"]


def test_where_nobody_tells_who_listens_a_gateway_must_run(answers, tmp_path, capsys, monkeypatch):
    """As the supervisor has written it down."""
    monkeypatch.setattr(status, "listens", lambda pid, port: None)
    processes = TWO | {"gateway-0": {"pid": 0, "state": "restarting", "restarts": 1}}
    assert main(["status", "--dir", written(tmp_path, processes=processes)]) == 1
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()[-2:]] == ["no", "yes"]


def test_nothing_that_runs_is_said(tmp_path, capsys):
    """With the directory that was looked at."""
    assert main(["status", "--dir", str(tmp_path)]) == 1
    assert f"No `scurry up` is running in {tmp_path}." in capsys.readouterr().err
