"""The order of an upgrade, and its way back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scurry.serving import job_upgrade
from scurry.serving.flink_rest import JobStatus
from scurry.serving.job_upgrade import Upgrade, Wanted
from scurry.wire.errors import Failed, InvalidRequest, Unavailable

RUNNING = JobStatus("a", "RUNNING", 1, 3, 3, 0, "", 5, 1.0, 9, "")
PLACE = "file:/s/savepoint-1"
NEW = replace(RUNNING, restored_from=PLACE)
ENDED = replace(RUNNING, state="FINISHED")
FRESH = replace(NEW, checkpoints=0)


class FakeFlink:
    """Tells what it is scripted to, the last of it for ever, and writes down what it is asked for."""

    def __init__(self, *states):
        self.states, self.asked = list(states), []

    async def status(self):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return state

    async def slots(self):
        return 2

    async def stop(self, job, folder, patience_s):
        self.asked.append(("stop", job, folder))
        return PLACE

    async def cancel(self, job, patience_s):
        self.asked.append(("cancel", job))


class FakeSide:
    """Writes down what is started; may refuse."""

    def __init__(self, flink, *, fails=False):
        self._flink, self._fails = flink, fails

    async def start(self, savepoint, parallelism):
        self._flink.asked.append(("start", savepoint, parallelism))
        if self._fails:
            raise Failed("internal", "No such image.")

    async def start_former(self, savepoint, parallelism):
        self._flink.asked.append(("former", savepoint, parallelism))


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Nobody waits."""
    monkeypatch.setattr(job_upgrade, "POLL_S", 0)


def upgrade(flink, wanted=None, *, fails=False):
    """One that tells nobody."""
    return Upgrade(flink, FakeSide(flink, fails=fails), wanted or Wanted(), lambda _: None)


async def test_it_stops_starts_and_waits_for_a_checkpoint():
    """The former job's end, another savepoint's job and one without a checkpoint of its own are not it."""
    other = replace(NEW, restored_from="file:/s/other")
    flink = FakeFlink(RUNNING, Unavailable("unavailable", "gone"), ENDED, other, FRESH, NEW)
    assert await upgrade(flink).run() == NEW
    assert flink.asked == [("stop", "a", ""), ("start", PLACE, 0)]
    assert flink.states == [NEW]


async def test_a_rescale_is_done_when_the_parallelism_is_there():
    """And is not begun without the slots for it."""
    flink = FakeFlink(RUNNING, NEW, replace(NEW, parallelism=2))
    assert (await upgrade(flink, Wanted(parallelism=2)).run()).parallelism == 2
    flink = FakeFlink(RUNNING)
    with pytest.raises(InvalidRequest, match="there are 2: start more TaskManagers"):
        await upgrade(flink, Wanted(parallelism=3)).run()
    assert flink.asked == []


async def test_a_job_that_does_not_run_is_left_alone():
    """After as long as one waits; the sentence names the way out."""
    flink = FakeFlink(replace(RUNNING, state="RESTARTING", tasks_running=0))
    with pytest.raises(Unavailable, match="--from"):
        await upgrade(flink, Wanted(patience_s=0.01)).run()
    assert flink.asked == []
    with pytest.raises(Unavailable, match="leader"):
        await upgrade(FakeFlink(Unavailable("unavailable", "No leader.")), Wanted(patience_s=0.01)).run()


async def test_one_that_is_just_being_replaced_is_waited_for():
    """A JobManager without a leader, tasks that are not all there yet: then it is stopped."""
    flink = FakeFlink(Unavailable("unavailable", "No leader."), replace(RUNNING, tasks_running=0), RUNNING, NEW)
    assert await upgrade(flink).run() == NEW
    assert flink.asked == [("stop", "a", ""), ("start", PLACE, 0)]


async def test_an_origin_is_begun_at_without_a_savepoint():
    """What runs is ended, what has ended is not."""
    flink = FakeFlink(replace(RUNNING, state="RESTARTING"), NEW)
    await upgrade(flink, Wanted(origin=PLACE)).run()
    assert flink.asked == [("cancel", "a"), ("start", PLACE, 0)]
    flink = FakeFlink(ENDED, NEW)
    await upgrade(flink, Wanted(origin=PLACE)).run()
    assert flink.asked == [("start", PLACE, 0)]


async def test_what_does_not_start_is_rolled_back_to_the_same_savepoint():
    """What high availability may keep of it is ended first."""
    flink = FakeFlink(RUNNING, replace(FRESH, state="RESTARTING"), NEW)
    with pytest.raises(Failed, match=r"No such image\. The former one goes on from the same savepoint, file:/s"):
        await upgrade(flink, fails=True).run()
    assert flink.asked == [("stop", "a", ""), ("start", PLACE, 0), ("cancel", "a"), ("former", PLACE, 1)]


async def test_what_never_runs_is_rolled_back_too():
    """After the time it was given; a JobManager that is gone has nothing to be ended."""
    flink = FakeFlink(RUNNING, Unavailable("unavailable", "Flink does not answer."))
    with pytest.raises(Unavailable, match=r"Nor did the former one.*`scurry job upgrade --from file:/s/savepoint-1`"):
        await upgrade(flink, Wanted(patience_s=0.01)).run()
    assert [each[0] for each in flink.asked] == ["stop", "start", "former"]
