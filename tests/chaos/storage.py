"""Faults of what keeps the data: Redis, checkpoints, the disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from tests.chaos.door import BROKEN, connect
from tests.chaos.scene import Scene, await_back, await_redis, on_redis, running

CHECKPOINT_S = 1.0
"""So long before it is completed a checkpoint has begun, at most."""
REPLAY_S = 60.0
"""By then the job has read again what it goes back to."""
PAUSE_S = (1.0, 15.0)
FULL_S = (3.0, 15.0)
DISK_BYTES = 4 << 30
ROOM_BYTES = 1 << 16


def kill_redis(scene: Scene) -> str:
    """Redis as it is set up: what its append-only file did not get yet is gone, and nothing else."""
    return _kill_redis(scene, always=False)


def kill_redis_always(scene: Scene) -> str:
    """Redis with every write on disk before it is acknowledged: nothing is gone."""
    return _kill_redis(scene, always=True)


def _kill_redis(scene: Scene, *, always: bool) -> str:
    if always:
        on_redis(scene, lambda link: link.config_set("appendfsync", "always"))
        time.sleep(2)
    with scene.door.held():
        pid = running(scene, ["redis"]).get("redis")
        if pid is None:
            return "redis does not run"
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        await_back(scene, "redis", pid)
        return account(scene, killed, "nothing" if always else "everysec")


def account(scene: Scene, killed: float, promised: str) -> str:
    """Tell the checker exactly what Redis lost; the door is held meanwhile."""
    gone = scene.checker.entries_after(on_redis(scene, newest_request))
    since = on_redis(scene, scene.marks.kept_until)
    if not gone and since is None:
        return "Redis lost nothing"
    since = killed if since is None else since
    if promised == "nothing":
        scene.checker.ledger.wrong("redis_broke", f"{len(gone)} entries, from {killed - since:.2f} s before")
    scene.checker.redis_lost(since, killed, gone)
    return f"Redis lost its last {killed - since:.2f} s, {len(gone)} of our entries among it"


def newest_request(link: redis.Redis) -> str:
    """The entry that Redis gave out last."""
    try:
        return str(link.xinfo_stream("scurry:requests")["last-generated-id"].decode())
    except redis.ResponseError:
        return "0-0"


def cut_connections(scene: Scene) -> str:
    """Every connection to Redis is closed, again and again for a while."""
    rounds = scene.random.randrange(1, 8)
    cut = 0
    for _ in range(rounds):
        await_redis(scene)
        with contextlib.suppress(*BROKEN, redis.ResponseError):
            cut += int(connect(scene.stack.redis_url).execute_command("CLIENT", "KILL", "TYPE", "normal"))
        time.sleep(scene.random.uniform(0, 0.5))
    return f"{cut} connections to Redis cut in {rounds} rounds"


def pause_redis(scene: Scene) -> str:
    """Redis takes commands and answers none."""
    seconds = scene.random.uniform(*PAUSE_S)
    on_redis(scene, lambda link: link.execute_command("CLIENT", "PAUSE", int(seconds * 1000), "ALL"))
    time.sleep(seconds)
    return f"Redis paused for {seconds:.0f} s"


def fill_redis(scene: Scene) -> str:
    """Redis at maxmemory: it refuses every write."""
    seconds = scene.random.uniform(*FULL_S)
    on_redis(scene, lambda link: link.config_set("maxmemory", max(1, link.info("memory")["used_memory"] - (1 << 16))))
    time.sleep(seconds)
    on_redis(scene, lambda link: link.config_set("maxmemory", 0))
    return f"Redis at maxmemory for {seconds:.0f} s"


def damage_checkpoint(scene: Scene) -> str:
    """The newest checkpoint is deleted or cut short, and Java killed: it must resume from the one before."""
    pid = running(scene, ["job"]).get("job")
    if pid is None:
        return "the job does not run"
    os.kill(pid, signal.SIGSTOP)  # so that the newest one stays the newest
    found = sorted(scene.stack.dir.rglob("chk-*/_metadata"), key=lambda path: path.stat().st_mtime)
    told = "there are not two checkpoints"
    if len(found) > 1:
        told = damage(scene, found[-1])
        completed, now = found[-2].stat().st_mtime, time.monotonic()
        scene.checker.timeline.reopen(now - (time.time() - completed) - CHECKPOINT_S, now + REPLAY_S)
    os.kill(pid, signal.SIGKILL)
    await_back(scene, "job", pid)
    return f"{told}, job killed"


def damage(scene: Scene, newest: Path) -> str:
    """Delete a checkpoint, or cut its metadata short."""
    if scene.random.random() < 0.5:
        shutil.rmtree(newest.parent, ignore_errors=True)
        return f"newest checkpoint {newest.parent.name} deleted"
    os.truncate(newest, newest.stat().st_size // 2)
    return f"newest checkpoint {newest.parent.name} cut short"


def fill_disk(scene: Scene) -> str:
    """No byte more on the disk of the data directory; meanwhile a process is killed, which must be back afterwards."""
    if scene.disk is None:
        return "skipped: a disk of its own needs the right to mount"
    name = scene.random.choice(["worker-0", "functions", "gateway", "job"])
    pid = running(scene, [name]).get(name, 0)
    seconds = scene.random.uniform(*FULL_S)
    leave_no_room(scene.disk)
    try:
        if pid:
            os.kill(pid, signal.SIGKILL)
        time.sleep(seconds)
    finally:
        resize(scene.disk, DISK_BYTES)
    if pid:
        await_back(scene, name, pid)
    return f"disk full for {seconds:.0f} s, {name} killed meanwhile"


@contextlib.contextmanager
def bounded_disk(folder: Path) -> Iterator[tuple[Path, bool]]:
    """A file system of bounded size there, if we may make one; a plain directory else."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "scurry-chaos", str(folder)]
    bounded = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield folder, bounded
    finally:
        if bounded:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def leave_no_room(folder: Path) -> None:
    """Cut the file system down to what it holds; what is written meanwhile may forbid it, so try again."""
    for _ in range(20):
        with contextlib.suppress(subprocess.CalledProcessError):
            resize(folder, shutil.disk_usage(folder).used + ROOM_BYTES)
            return
    raise OSError(f"{folder} could not be made smaller")


def resize(folder: Path, size: int) -> None:
    """Give the file system another size."""
    command = ["mount", "-o", f"remount,size={size}", str(folder)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
