"""What Flink's REST says, and what becomes of it; its real answers: tests/e2e/test_standalone.py."""

from __future__ import annotations

import pytest

from scurry.serving import flink_rest
from scurry.serving.flink_rest import FlinkRest, reason_of, refusal, status_of
from scurry.wire.errors import Failed, InvalidRequest, Unavailable

JOB = {
    "jid": "a1", "state": "RUNNING",
    "vertices": [
        {"parallelism": 2, "tasks": {"RUNNING": 2, "FAILED": 0}}, {"parallelism": 2, "tasks": {"RUNNING": 1}}
    ],
}  # fmt: skip
SAVED = {
    "counts": {"completed": 3},
    "latest": {
        "completed": {"latest_ack_timestamp": 90_000, "state_size": 7},
        "savepoint": {"external_path": "file:/s/1"},
        "restored": {"external_path": "file:/s/0"},
    },
}
TRACE = "java.util.Wrapping: outer\n\tat a.b.C\nCaused by: java.io.IOException: No space left on device.\n\tat d.e.F"


class Scripted(FlinkRest):
    """Answers from a list; each may be a failure."""

    def __init__(self, *answers):
        super().__init__("http://flink")
        self.asked, self._answers = [], list(answers)

    async def _ask(self, method, path, body=None):
        self.asked.append((method, path, body))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Nobody waits."""
    monkeypatch.setattr(flink_rest, "POLL_S", 0)


def test_three_pages_become_one_status():
    """Tasks are counted over the vertices, ages told in seconds."""
    now = status_of(JOB, SAVED, [{"id": "numRestarts", "value": "4"}], 100.0)
    assert (now.parallelism, now.tasks_running, now.tasks, now.restarts) == (2, 3, 4, 4)
    assert (now.checkpoint_age_s, now.checkpoint_bytes, now.checkpoints) == (10.0, 7, 3)
    assert (now.restored_from, now.savepoint) == ("file:/s/0", "file:/s/1")
    assert not now.is_running
    assert not now.is_over


def test_a_job_that_has_just_begun_has_none_of_it():
    """What Flink does not say yet is -1 or empty, and a job without tasks does not run."""
    now = status_of({"jid": "a", "state": "RUNNING"}, {"latest": None}, [], 0.0)
    assert (now.checkpoint_age_s, now.checkpoint_bytes, now.restarts, now.restored_from) == (-1.0, -1, -1, "")
    assert not now.is_running


async def test_a_job_that_runs_is_told_before_one_that_ended():
    """Of those that ended, the last."""
    jobs = [
        {"jid": "old", "state": "FINISHED", "start-time": 9},
        {"jid": "now", "state": "RESTARTING", "start-time": 1},
    ]
    flink = Scripted({"jobs": jobs}, JOB, SAVED, [])
    await flink.status()
    assert flink.asked[1][1] == "/jobs/now"


async def test_no_job_is_a_sentence():
    """That says where to look."""
    with pytest.raises(Unavailable, match="runs no job; look at what its JobManager logged"):
        await Scripted({"jobs": []}).status()


async def test_a_stop_tells_the_savepoints_place_once_the_job_has_ended():
    """Asked with Flink's own names; a JobManager that ends with its job is no failure."""
    done = {"status": {"id": "COMPLETED"}, "operation": {"location": "file:/s/2"}}
    gone = Unavailable("unavailable", "gone")
    flink = Scripted({"request-id": "r"}, {"status": {"id": "IN_PROGRESS"}}, done, {"state": "RUNNING"}, gone)
    assert await flink.stop("a1", "file:/s", 5) == "file:/s/2"
    assert flink.asked[0] == ("POST", "/jobs/a1/stop", {"drain": False, "targetDirectory": "file:/s"})


async def test_a_savepoint_that_fails_tells_flinks_reason():
    """The innermost one."""
    failed = {"status": {"id": "COMPLETED"}, "operation": {"failure-cause": {"stack-trace": TRACE}}}
    with pytest.raises(Failed, match=r"No space left on device\.$"):
        await Scripted({"request-id": "r"}, failed).savepoint("a1", "", 5)


async def test_a_savepoint_that_takes_too_long_names_the_flag():
    """Nothing else is known of it."""
    with pytest.raises(Unavailable, match="--timeout"):
        await Scripted({"request-id": "r"}).savepoint("a1", "", 0)


async def test_an_address_where_nobody_is_is_a_sentence():
    """Not a traceback of aiohttp's."""
    async with FlinkRest("http://127.0.0.1:1") as flink:
        with pytest.raises(Unavailable, match=r"Flink does not answer at http://127\.0\.0\.1:1"):
            await flink.slots()


def test_a_missing_directory_names_the_flag():
    """Flink names its own setting."""
    told = {"errors": ["Config key [state.savepoints.dir] is not set. Property [targetDirectory] must be provided."]}
    assert isinstance(refusal(400, told, "u"), InvalidRequest)
    assert "--to" in str(refusal(400, told, "u"))
    assert "status 500" in str(refusal(500, "no JSON object", "u"))


@pytest.mark.parametrize(
    ("trace", "reason"), [(TRACE, "java.io.IOException: No space left on device"), ("x: y.\n\tat z", "x: y"), ("", "")]
)
def test_the_reason_in_a_trace(trace, reason):
    """The last cause, else the first line."""
    assert reason_of(trace) == reason
