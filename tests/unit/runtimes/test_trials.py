"""Outputs found out by running a model."""

from __future__ import annotations

import numpy as np
import pytest

from scurry.runtimes.port import Port
from scurry.runtimes.trials import outputs_of
from scurry.wire.errors import Failed

ROWS = Port("x", "FP32", (-1, 3))


def test_what_grows_with_the_rows_is_free():
    """The rest is fixed; types are those of what came."""
    found = outputs_of(lambda arrays: [arrays[0] @ np.ones((3, 2)), np.zeros(5, np.int64)], [ROWS])
    assert found == (Port("OUTPUT__0", "FP64", (-1, 2)), Port("OUTPUT__1", "INT64", (5,)))


def test_texts_are_tried_as_well():
    """As numbers, which most of what reads text can take."""
    assert outputs_of(lambda arrays: arrays, [Port("t", "BYTES", (-1,))]) == (Port("OUTPUT__0", "BYTES", (-1,)),)


def test_what_is_not_of_one_kind_is_refused():
    """Outputs whose number depends on the input have no signature."""
    with pytest.raises(Failed, match="depends on its input"):
        outputs_of(lambda arrays: list(arrays[0]), [ROWS])
