"""One caller's input does not change what the next one gets."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.inference.toys import Toy, row

from scurry.inference.loaded_model import KEPT_BYTES, LoadedModel
from scurry.runtimes.baseline import Baseline
from scurry.runtimes.port import Port
from scurry.wire.errors import Failed, InvalidRequest

GOOD, BAD = [row(1, 2)], [row(13, 13)]


class Fragile(Toy):
    """Adds one, until 13 breaks it: then everything is `after`, until it is opened anew."""

    def __init__(self, after="raises", helps: bool = True, proven: bool = True) -> None:
        super().__init__()
        self.after, self.helps, self.broken, self.reopened = after, helps, False, 0
        self.baseline = None
        if proven:
            self.baseline = Baseline([row(0, 0)], [row(1, 1)], [row(1, 1)])
        self.function = self.answer

    def _load(self) -> None:
        self.reopened += 1
        self.broken = not self.helps

    def answer(self, x):
        """What it gives now."""
        thirteen = (x == 13).any()
        self.broken |= bool(thirteen)
        if thirteen or (self.broken and self.after == "raises"):
            raise ValueError("unlucky")
        return [x * np.nan if self.broken and self.after == "nan" else x + (5 if self.broken else 1)]


@pytest.mark.parametrize("after", ["raises", "nan", "other values"])
async def test_what_one_caller_broke_is_whole_for_the_next(after):
    """An error, a NaN or another answer than before: the model is opened anew before its next run."""
    model = LoadedModel(("m", "1"), Fragile(after))
    assert model.run(GOOD)[0].tolist() == [[2, 3]]
    with pytest.raises(Failed, match="unlucky"):
        model.run(BAD)
    assert model.run(GOOD)[0].tolist() == [[2, 3]]
    assert (model.model.reopened, model.nan_results) == (1, 0)


async def test_a_run_that_failed_without_harm_costs_a_proof():
    """A model that still answers as it did is not opened again."""
    toy = Toy(lambda x: [x + 1] if x.shape[1] == 2 else 1 / 0)
    toy.baseline = Baseline([row(0, 0)], [row(1, 1)], [row(1, 1)])
    toy.reopen = None
    model = LoadedModel(("m", "1"), toy)
    with pytest.raises(Failed):
        model.run([row(1, 2, 3)])
    assert model.run(GOOD)[0].tolist() == [[2, 3]]
    assert toy.seen == [(1, 3), (1, 2), (1, 2)]


async def test_what_cannot_be_mended_is_said():
    """No answer is guessed from a model that is broken for good; each caller is told, and it is tried each time."""
    model = LoadedModel(("m", "1"), Fragile(helps=False))
    for given in (BAD, GOOD, GOOD):
        with pytest.raises(Failed, match=r"unlucky|did not help"):
            model.run(given)
    assert model.model.reopened == 2
    assert "register it again" in model.broken
    model.model.helps = True
    assert (model.run(GOOD)[0].tolist(), model.broken) == ([[2, 3]], "")


async def test_what_cannot_be_opened_anew_is_broken():
    """The files may be gone by then."""

    class Lost(Fragile):
        def _load(self) -> None:
            raise OSError("no such file")

    model = LoadedModel(("m", "1"), Lost())
    for given in (BAD, GOOD):
        with pytest.raises(Failed):
            model.run(given)
    assert "no such file" in model.broken


async def test_a_model_that_never_answered_is_opened_anew():
    """There is nothing to prove it with; its first good answer is what the next proof needs."""
    model = LoadedModel(("m", "1"), Fragile(proven=False))
    with pytest.raises(Failed):
        model.run(BAD)
    assert model.run(GOOD)[0].tolist() == [[2, 3]]
    assert (model.model.reopened, model.model.baseline.inputs[0].tolist()) == (1, [[1, 2]])


async def test_the_last_good_input_is_part_of_the_proof():
    """A baseline of zeros may pass where real input does not."""

    class Sly(Fragile):
        def answer(self, x):
            return [x + 1] if not x.any() else super().answer(x)

    model = LoadedModel(("m", "1"), Sly())
    model.run(GOOD)
    with pytest.raises(Failed):
        model.run(BAD)
    model.run(GOOD)
    assert model.model.reopened == 1
    model.run([np.zeros((KEPT_BYTES, 2), np.float32)])
    assert model._last_good is GOOD


async def test_bad_text_is_the_callers_mistake():
    """The model was not asked, so there is nothing to prove."""
    toy = Toy()
    toy.run = lambda _: (_ for _ in ()).throw(InvalidRequest("input_datatype", "no text"))
    model = LoadedModel(("m", "1"), toy)
    with pytest.raises(InvalidRequest):
        model.run(GOOD)
    assert not model._doubtful


async def test_nan_is_counted_where_the_warm_up_gave_none(caplog):
    """It is shown, and the model is proven again; a model that gives NaN by nature is left alone."""
    toy = Toy(lambda x: [np.log(x)])
    toy.baseline = Baseline([row(1, 1)], [row(0, 0)], [row(0, 0)])
    model = LoadedModel(("m", "1"), toy)
    with np.errstate(invalid="ignore"):
        for _ in range(3):
            assert np.isnan(model.run([row(-1, 1)])[0]).any()
    assert model.nan_results == 3
    assert "NaN 3 times" in repr(model)
    assert [record.message.rpartition(", ")[2] for record in caplog.records] == ["1 times", "2 times"]
    assert toy.seen == [(1, 2)] * 4
    toy.baseline = Baseline([row(1, 1)], [row(0, 0) * np.float32(np.nan)])
    with np.errstate(invalid="ignore"):
        model.run([row(-1, 1)])
    assert model.nan_results == 3


async def test_what_left_the_shelf_is_closed_with_its_last_user():
    """Once, and at once when nobody uses it."""
    for users in (0, 2):
        toy, closed = Toy(), []
        toy.close = lambda closed=closed: closed.append(1)
        model = LoadedModel(("m", "1"), toy)
        model.users = users
        model.retire()
        model.retire()
        assert closed == ([] if users else [1])
        for left in range(users):
            model.leave()
            assert closed == ([1] if left else [])


async def test_runs_are_timed():
    """The mean follows what runs take, and tells what a call will take."""
    model = LoadedModel(("m", "1"), Toy())
    for _ in range(50):
        model.pace.note(0.1, 0.1)
    assert model.pace.seconds == pytest.approx(0.1, rel=0.01)
    assert model.expected(4) == pytest.approx(0.1, rel=0.01)
    assert model.expected(5) == pytest.approx(0.2, rel=0.01)
    assert repr(model) == "<LoadedModel m@1, 0 users>"


async def test_large_texts_and_pictures_are_not_kept():
    """What counts is what the elements hold, not the pointers to them."""
    port = (Port("x", "BYTES", (-1,)),)
    model = LoadedModel(("m", "1"), Toy(lambda x: [x], inputs=port, outputs=port))
    model.run([np.array([b"small"], dtype=object)])
    kept = model.model.baseline
    model.model.baseline = None
    model.run([np.array([b"." * (KEPT_BYTES + 1)], dtype=object)])
    assert kept is not None
    assert model.model.baseline is None
