"""Payloads in shared memory, as a client leaves them."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from scurry.client import sharing
from scurry.client.sharing import Sharing
from scurry.redis.connection import Command
from scurry.redis.link import Link
from scurry.wire.names import Keys
from scurry.wire.shared_payloads import SharedFolder, SharedPayloads

CLIENT = "0123456789ab"
KEY = Keys().payload_in(f"{CLIENT}-1", "x")


class Told:
    """Stands in for Redis: each question is answered at once."""

    def __init__(self, answer: object) -> None:
        self.answer, self.asked = answer, 0

    def send(self, command: Command) -> None:
        self.asked += 1
        assert b"scurry:shared-payloads" in command.parts[0]
        assert command.then is not None
        command.then(self.answer)


def made(answer: object) -> tuple[Sharing, Told]:
    """One that has asked."""
    told = Told(answer)
    one = Sharing(cast("Link", told), Keys(), CLIENT)
    one.ask()
    return one, told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where `scurry up` makes one."""
    return tmp_path / "scurry"


def answer_of(folder: Path) -> bytes:
    """What Redis tells of it, once it is made."""
    return f"{folder} {SharedFolder(folder).token}".encode()


async def test_what_is_left_is_found_until_it_is_removed(folder: Path) -> None:
    """And closing removes the rest."""
    one, _ = made(answer_of(folder))
    reader = SharedPayloads(str(folder))
    other = Keys().payload_in(f"{CLIENT}-2", "x")
    assert one.leave(KEY, b"data") and one.leave(other, b"more")
    assert reader.read(KEY) == b"data"
    one.remove([KEY])
    assert (reader.read(KEY), reader.read(other)) == (None, b"more")
    one.close()
    assert not (folder / CLIENT).exists()


@pytest.mark.parametrize("answer", [None, b"", b"/nowhere token", 7])
async def test_without_a_folder_all_goes_to_redis(answer: object) -> None:
    """On another machine, without `scurry up`, or where Redis tells nonsense."""
    one, _ = made(answer)
    assert not one.leave(KEY, b"data")
    one.remove([KEY])
    one.close()


@pytest.mark.parametrize(("call", "number"), [("write", errno.ENOSPC), ("open", errno.EMFILE), ("open", errno.EACCES)])
async def test_what_passes_is_no_reason_to_leave_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """This payload goes to Redis, the next may find room; those that are on their way stay where they are."""
    one, told = made(answer_of(folder))
    before = Keys().payload_in(f"{CLIENT}-9", "x")
    assert one.leave(before, b"on its way")

    def fail(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(os, call, fail)
        assert not one.leave(KEY, b"data")
    assert one.leave(KEY, b"data")
    assert SharedPayloads(str(folder)).read(before) == b"on its way"
    assert told.asked == 1
    one.close()


async def test_a_lost_folder_is_asked_for_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`scurry up` may have come back with a new one; until it is known Redis takes what comes."""
    monkeypatch.setattr(sharing, "AGAIN_S", 0.0)
    one, told = made(answer_of(folder))
    shutil.rmtree(folder)
    assert not one.leave(KEY, b"data")
    told.answer = answer_of(folder)
    await asyncio.sleep(0.01)
    assert told.asked == 2
    assert one.leave(KEY, b"data")
    one.close()


async def test_a_closed_one_asks_no_more(folder: Path) -> None:
    """And takes no folder that it is told of late."""
    one, told = made(None)
    one.close()
    one.ask()
    assert told.asked == 1
    one._told(answer_of(folder))
    assert not one.leave(KEY, b"data")


async def test_a_folder_that_cannot_be_used_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once, and Redis takes everything."""
    answer = answer_of(folder)

    def refuse(*_: Any) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(sharing, "OwnPayloads", refuse)
    one, _ = made(answer)
    assert not one.leave(KEY, b"data")
    one.close()
