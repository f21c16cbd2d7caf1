"""What became of the models on a shelf."""

from __future__ import annotations

import pytest
from tests.unit.inference.toys import Toy, body, call, request, row, sent

from scurry.inference.response_cache import ResponseCache
from scurry.inference.shelf import Shelf
from scurry.inference.statistics import TOLD_SECONDS, figures
from scurry.sources.allowed import Allowed
from scurry.sources.cache import Cache
from scurry.sources.fetch import Sources
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import Load, ModelSpec


async def test_hits_misses_loads_and_evictions(shop, tmp_path):
    """By request; the age is the time since the last use, not since the load."""
    now = [0.0]
    shelf = Shelf(shop, 200, clock=lambda: now[0])
    spec = ModelSpec(uri="toy", identity="i")
    await shelf.load(("a", "1"), spec, 3)
    await shelf.load(("b", "1"), spec, 1)
    now[0] = 10.0
    await shelf.load(("a", "1"), spec, 5)
    now[0] = 14.0
    await shelf.load(("c", "1"), spec, 1)
    told = shelf.statistics
    assert (told.hits, told.misses, told.loads, told.evictions, told.age_seconds) == (5, 5, 3, 1, 14.0)
    await shelf.load(("d", "1"), spec)
    assert (told.evictions, told.age_seconds) == (2, 18.0)
    assert repr(told) == "<Statistics 10 requests, hit ratio 0.500, 4 loads, 0 failed, 2 evictions at 9.0 s>"
    kept = ResponseCache()
    kept.hits, kept.misses = 3, 2
    values = {each.name: each.value for each in figures(shelf, 200, Sources(Allowed(), Cache(tmp_path, 1)), kept)}
    assert (values["scurry_shelf_bytes"], values["scurry_shelf_budget_bytes"]) == (200, 200)
    assert values["scurry_shelf_evictions_total"] == 2
    assert (values["scurry_response_cache_hits_total"], values["scurry_response_cache_misses_total"]) == (3, 2)
    assert len(values) == 15


async def test_a_failure_is_no_load(shop, shelf):
    """It is counted by itself."""

    def broken() -> Toy:
        raise Failed("load_failed", "no")

    shop.toys["m"] = broken
    with pytest.raises(Failed):
        await shelf.load(("m", "1"), ModelSpec(uri="toy"), 2)
    told = shelf.statistics
    assert (told.loads, told.failures, told.misses) == (0, 1, 2)
    assert repr(told) == "<Statistics 2 requests, hit ratio 0.000, 0 loads, 1 failed, 0 evictions at 0.0 s>"


async def test_each_request_of_a_call_counts_once(inference, shelf):
    """The first of a model are misses, later ones hits; a registry's Load is neither."""
    await inference.serve([call(Load(model="m", version="1", spec=ModelSpec(uri="other")))], lambda _: None)
    for _ in range(2):
        asked = sent(*(request(at, body(x=row(1, 2))) for at in range(3)))
        await inference.serve([call(asked)], lambda _: None)
    assert (shelf.statistics.misses, shelf.statistics.hits) == (3, 3)


async def test_a_shelf_at_work_says_so_now_and_then(shop, caplog):
    """With its figures, in one line."""
    now = [0.0]
    shelf = Shelf(shop, 1000, clock=lambda: now[0])
    with caplog.at_level("INFO"):
        await shelf.load(("a", "1"), ModelSpec(uri="toy"))
        now[0] = TOLD_SECONDS
        for name in "bc":
            await shelf.load((name, "1"), ModelSpec(uri="toy"))
    (line,) = [each for each in caplog.text.splitlines() if "Statistics" in each]
    assert "<Shelf 2 models, 0 of 0 MiB, 1 loading>: <Statistics 0 requests, hit ratio none, 2 loads" in line
