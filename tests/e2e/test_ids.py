"""What an id promises, from a client's side, through the real job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.doubling import save_double

from scurry.client.client import Client
from scurry.wire.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Stack

MODEL = "ids-double"


async def test_an_id_belongs_to_its_first_answer(stack: Stack, tmp_path: Path) -> None:
    """A refusal leaves it free; the same body gets the same answer again, another body a conflict."""
    one = {"x": np.ones((1, 3), np.float32)}
    async with Client(stack.redis_url) as client:
        with pytest.raises(NotFound):
            await client.infer(MODEL, one, id="ids-mine")
        stack.register(MODEL, save_double(tmp_path / "double.onnx", 3))
        for _ in range(2):
            assert (await client.infer(MODEL, one, id="ids-mine"))["y"].tolist() == [[2, 2, 2]]
        with pytest.raises(InvalidRequest) as conflict:
            await client.infer(MODEL, {"x": np.zeros((1, 3), np.float32)}, id="ids-mine")
        assert conflict.value.code == "id_conflict"
        assert (await client.result("ids-mine")).version == "1"


async def test_other_parked_bytes_are_another_body(stack: Stack, tmp_path: Path) -> None:
    """Large tensors of one size under one id: the first one's answer is not given for the second."""
    stack.register("ids-large", save_double(tmp_path / "double.onnx", 3))
    large = np.ones((2000, 3), np.float32)
    async with Client(stack.redis_url) as client:
        for _ in range(2):
            answer = await client.infer("ids-large", {"x": large}, id="ids-parked", keep=60)
            np.testing.assert_array_equal(answer["y"], large * 2)
        with pytest.raises(InvalidRequest) as conflict:
            await client.infer("ids-large", {"x": large + 1}, id="ids-parked", keep=60)
        assert conflict.value.code == "id_conflict"


async def test_lists_are_cast_to_what_the_model_takes(stack: Stack, tmp_path: Path) -> None:
    """The client has read the signature from the registry's view."""
    stack.register("ids-lists", save_double(tmp_path / "double.onnx", 3))
    async with Client(stack.redis_url) as client:
        outputs = await client.infer("ids-lists", {"x": [[1, 2.5, 3]]})
        assert outputs["y"].tolist() == [[2, 5, 6]]
        assert outputs["y"].dtype == np.float32
