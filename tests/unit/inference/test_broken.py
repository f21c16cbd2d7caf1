"""A model that cannot be mended is not ready: worker, registry and router together."""

from __future__ import annotations

import pytest
from tests.unit.inference.test_loaded_model import BAD, GOOD, Fragile
from tests.unit.inference.toys import Toy

from scurry.gateway.describe import is_ready
from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.testing import Harness
from scurry.wire.errors import Failed, Unavailable
from scurry.wire.messages_pb2 import ModelSpec


async def test_readiness_follows_a_model_that_cannot_be_mended(shop, payloads):
    """It is shown as failed with its sentence, asked no more, and another registration mends it."""
    shop.toys["m"] = lambda: Fragile(helps=False)
    shelf = Shelf(shop, 1000)
    harness = Harness(Inference(shelf, payloads))
    await harness.register("m", "toy", "1")
    assert (await harness.infer("m", {"x": GOOD[0]}))["y"].tolist() == [[2, 3]]
    with pytest.raises(Failed, match="unlucky"):
        await harness.infer("m", {"x": BAD[0]})
    assert is_ready(harness.out.views["m"], "m", "1"), "it is proven before its next run"
    with pytest.raises(Failed, match="register it again"):
        await harness.infer("m", {"x": GOOD[0]})
    (version,) = harness.out.views["m"]["versions"]
    assert (version["state"], is_ready(harness.out.views["m"], "m", "1")) == ("failed", False)
    assert "opening it anew did not help" in version["reason"]
    assert (harness.out.views["m"]["routes"], shelf.models) == ({}, 0)
    for asked in ("", "1"):
        with pytest.raises(Unavailable) as refused:
            await harness.infer("m", {"x": GOOD[0]}, version=asked)
        assert refused.value.code == "model_not_ready"
    shop.toys["m"] = Toy
    await harness.register("m", "toy", "1")
    assert is_ready(harness.out.views["m"], "m", "1")
    assert (await harness.infer("m", {"x": GOOD[0]}))["y"].tolist() == [[2, 3]]


async def test_another_version_goes_on(shop, payloads):
    """Requests that name no version go to the one that is left."""
    harness = Harness(Inference(Shelf(shop, 1000), payloads))
    await harness.register("m", "toy", "1")
    shop.toys["m"] = lambda: Fragile(helps=False)
    await harness.register("m", "fragile", "2")
    for given in (BAD, GOOD):
        with pytest.raises(Failed):
            await harness.infer("m", {"x": given[0]})
    assert harness.out.views["m"]["routes"] == {"1": 1}
    assert (await harness.infer("m", {"x": GOOD[0]}))["y"].tolist() == [[2, 3]]


async def test_what_is_broken_is_not_taken_over(shelf):
    """A registration of the same files opens them anew."""
    old = await shelf.load(("m", "1"), ModelSpec(uri="toy", identity="old"))
    assert await shelf.load(("m", "1"), ModelSpec(uri="toy", identity="like it")) is old
    old.broken = "It broke."
    assert await shelf.load(("m", "1"), ModelSpec(uri="toy", identity="new")) is not old
