"""Work of low priority, in pieces between which others have their turn."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.unit.inference.toys import Toy, body, call, left, mail, request, row, sent

from scurry.inference.batch import same_rows
from scurry.inference.items import claim
from scurry.inference.lane_call import LaneCall, Work
from scurry.inference.loaded_model import LoadedModel
from scurry.inference.pieces import pieces
from scurry.inference.turns import Turns
from scurry.wire.messages_pb2 import Done


def work(loaded: LoadedModel, count: int) -> Work:
    """Requests of one row each, claimed; the last is no request."""
    asked = [request(at, body(x=row(at, at)) if at < count - 1 else b"?") for at in range(count)]
    made = Work(sent().spec, asked)
    made.items = claim(asked, loaded.layouts)
    made.alike = same_rows(made.items)
    return made


@pytest.mark.parametrize(("seconds", "sizes"), [(1.0, [4, 4, 1]), (0.0011, [4, 4, 1]), (0.0009, [8, 1]), (0.0, [9])])
def test_a_piece_is_a_model_call_or_as_many_as_a_turn_takes(seconds: float, sizes: list[int]) -> None:
    """They share the items of the whole, in order; what has failed already is in none."""
    loaded = LoadedModel(("m", "1"), Toy(limit=4))
    loaded.pace.seconds = seconds
    whole = work(loaded, 10)
    parts = pieces(whole, loaded, 1)
    assert [len(part.items or ()) for part in parts] == sizes
    assert [item for part in parts for item in part.items or ()] == (whole.items or [])[:9]


def test_what_comes_first_of_all_is_one_piece() -> None:
    """Nobody goes before it."""
    loaded = LoadedModel(("m", "1"), Toy(limit=4))
    whole = work(loaded, 10)
    assert list(pieces(whole, loaded, 0)) == [whole]


@pytest.mark.parametrize(
    ("key", "level"), [("m@1/0", 0), ("m@1/15", 0), ("m@1/16", 1), ("m@1/47", 2), ("m@1/solo/9", 0)]
)
def test_the_lane_tells_the_level(key: str, level: int) -> None:
    """Sixteen lanes each."""
    assert LaneCall(call(sent(request(0, b"")), key=key)).level == level


@pytest.mark.parametrize("lane", [16, 32])
async def test_nobody_waits_for_more_than_the_call_that_is_under_way(inference, shelf, shop, lane):
    """A pile of bulk is being computed when somebody comes: one model call of it is finished, no other begun."""
    order: list[float] = []
    begun, may_go = threading.Event(), threading.Event()

    def note(x):
        order.append(float(x[0, 0]))
        begun.set()
        may_go.wait(10)
        return [x]

    shop.toys["m"] = lambda: Toy(note, limit=1)
    loaded = await shelf.load(("m", "1"), sent().spec)
    loaded.slots, loaded.pace.seconds = Turns(1), 1.0
    pile = call(sent(*(request(at, body(x=row(at, at))) for at in range(8)), report=True), key=f"m@1/{lane}")
    serving = asyncio.create_task(inference.serve([pile], lambda _: None))
    await asyncio.to_thread(begun.wait, 10)
    one = call(sent(request(99, body(x=row(99, 99)))))
    asking = asyncio.create_task(inference.serve([one], lambda _: None))
    await asyncio.sleep(0.01)
    may_go.set()
    await asyncio.wait_for(asyncio.gather(serving, asking), 10)
    assert order == [0, 99, 1, 2, 3, 4, 5, 6, 7]
    assert left(pile)[0] == {f"r{at}": [[at, at]] for at in range(8)}
    ((*_, done),) = mail(pile, Done)
    assert (done.lane, done.sequence, done.requests) == (lane, 8, 8)


async def test_a_pile_that_hangs_is_given_up_and_its_others_answered(inference, children, shop, shelf, monkeypatch):
    """As a call that comes first of all: what hung in a thread is told apart in a child."""
    monkeypatch.setattr("scurry.inference.placement.HANG_SECONDS", 0.05)
    monkeypatch.setattr("scurry.inference.placement.HANG_RUNS", 0)
    free = threading.Event()

    def hang_at_two(x):
        if (x == 2).any():
            free.wait(10)
        return [x]

    shop.toys["m"] = lambda: Toy(hang_at_two, limit=1)
    loaded = await shelf.load(("m", "1"), sent().spec)
    loaded.pace.seconds = 1.0
    pile = call(sent(*(request(at, body(x=row(at, at))) for at in range(1, 4))), key="m@1/16")
    await asyncio.wait_for(inference.serve([pile], lambda _: None), 10)
    assert left(pile)[0] == {f"r{at}": [[at + 1, at + 1]] for at in range(1, 4)}
    assert len(children.asked) == 3
    free.set()
