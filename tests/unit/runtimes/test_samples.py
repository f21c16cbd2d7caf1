"""Inputs to try a model with."""

from __future__ import annotations

import numpy as np
import pytest

from scurry.runtimes.port import Port
from scurry.runtimes.samples import BETWEEN, FREE_SIZE, KINDS, LARGEST, draw, too_large, zeros
from scurry.wire.tensors import DTYPES


@pytest.mark.parametrize("datatype", [*DTYPES, "BYTES"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_datatype_is_drawn(datatype, kind):
    """In the port's shape and type; the seed decides, rows and seeds differ."""
    port = Port("x", datatype, (-1, 50, -1))
    (one,), (same,), (other,) = (draw([port], 3, seed, kind) for seed in (1, 1, 2))
    assert one.shape == (3, 50, FREE_SIZE)
    assert one.dtype == (object if datatype == "BYTES" else DTYPES[datatype])
    assert (one == same).all()
    assert (one != other).any()
    assert (one[0] != one[1]).any()


def test_whole_numbers_stay_within_their_kind():
    """Places in a table, pixels, flags."""
    for kind in KINDS:
        (drawn,) = draw([Port("x", "INT64", (-1, 1000))], 2, 0, kind)
        assert (drawn.min(), drawn.max()) == (0, LARGEST[kind] - 1)
    (drawn,) = draw([Port("x", "INT8", (-1, 1000))], 2, 0, "wide")
    assert drawn.min() >= 0


def test_rows_differ_in_size():
    """So that a row which does something to its neighbours shows."""
    (drawn,) = draw([Port("x", "FP32", (-1, 1000))], 20, 0, "wide")
    sizes = np.abs(drawn).mean(axis=1)
    assert sizes.max() / sizes.min() > 10


def test_zeros_have_no_content():
    """Empty texts for BYTES; free dimensions are 1."""
    number, text = zeros([Port("x", "INT32", (-1, -1, 3)), Port("t", "BYTES", (-1,))], 2)
    assert (number.shape, number.any(), text.tolist()) == ((2, 1, 3), False, ["", ""])


def test_texts_differ_in_words():
    """So that a model which splits them shows what the longest row does to the others; other kinds are one number."""
    for kind in KINDS:
        (drawn,) = draw([Port("t", "BYTES", (-1,))], 20, 0, kind)
        for each in BETWEEN:
            assert (len({text.count(each) for text in drawn}) > 1) == (kind == KINDS[0])


def test_what_would_take_too_much_memory_is_told():
    """Before it is made."""
    small, large = Port("x", "FP32", (-1, 1000)), Port("y", "FP64", (-1, 1 << 20))
    assert [too_large([small, large], rows) for rows in (1, 15)] == ["", ""]
    assert too_large([small, large], 17) == "17 made-up rows would take 136 MiB of memory"
    assert too_large([Port("t", "BYTES", (1 << 22,))], 1) == "1 made-up row would take 256 MiB of memory"
