"""Two pools of workers in the whole job, without Flink."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.stateful import SUM, running_sum
from tests.unit.graph.test_function import CHAIN, ensemble
from tests.unit.inference.test_sequences import ask, step
from tests.unit.inference.toys import DictPayloads, Shop, Toy, row

from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.runtimes.catalog import Opener
from scurry.testing import Harness
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import Loaded
from scurry.wire.names import INFERENCE, REGISTRY

GPU = {"pool": "gpu"}
ELSEWHERE = "scurry/inference.gpu"


class Two:
    """A worker in the default pool and one in `gpu`, each with all the toys and a shelf of its own."""

    def __init__(self) -> None:
        self.payloads = DictPayloads()
        self.shelves = {pool: Shelf(self._shop(), 1 << 20) for pool in ("default", "gpu")}
        workers = [Inference(shelf, self.payloads, pool=pool) for pool, shelf in self.shelves.items()]
        self.harness = Harness(*workers)

    @staticmethod
    def _shop() -> Shop:
        shop = Shop()
        toys = {"plus": lambda: Toy(lambda x: [x + 1]), "times": lambda: Toy(lambda x: [x * 10])}
        shop.toys.update(toys, g=ensemble(*CHAIN))
        return shop

    @property
    def held(self) -> dict[str, int]:
        """Models on each shelf."""
        return {pool: shelf.models for pool, shelf in self.shelves.items()}


async def test_each_pool_loads_and_drops_its_own() -> None:
    """No worker hears of a model of the other pool, not even that it goes."""
    two = Two()
    await two.harness.register("plus", "toy")
    await two.harness.register("times", "toy", config=GPU)
    assert two.held == {"default": 1, "gpu": 1}
    assert {mail.to[0] for mail in two.harness.sent if mail.to[1].startswith("times@")} == {ELSEWHERE}
    told = [Loaded.FromString(mail.value) for mail in two.harness.sent if mail.typename.endswith("/Loaded")]
    assert {(one.version, one.pool) for one in told} == {("1", ""), ("1", "gpu")}
    np.testing.assert_array_equal((await two.harness.infer("times", {"x": row(1, 2)}))["y"], [[10, 20]])
    await two.harness.update("times", '{"unregister": {"force": true}}')
    assert two.held == {"default": 1, "gpu": 0}


async def test_a_pool_of_the_harness_is_known_by_its_worker() -> None:
    """Another is refused, with those there are."""
    with pytest.raises(InvalidRequest, match=r"no endpoint for pool 'tpu'.*its pools are default, gpu"):
        await Two().harness.register("plus", "toy", config={"pool": "tpu"})


async def test_steps_of_a_graph_may_be_in_different_pools() -> None:
    """And the graph itself in either."""
    two = Two()
    await two.harness.register("plus", "toy", config=GPU)
    await two.harness.register("times", "toy")
    for version, config in (("1", None), ("2", GPU)):
        await two.harness.register("g", "ensemble:", version, config=config)
        np.testing.assert_array_equal((await two.harness.infer("g", {"image": row(1, 2)}))["label"], [[20, 30]])


async def test_a_model_moves_by_a_new_version_and_is_compared_before() -> None:
    """The shadow is in another pool than what answers."""
    two = Two()
    await two.harness.register("plus", "toy", "1")
    record = await two.harness.register("plus", "toy", "2", config=GPU)
    assert [one["pool"] for one in record["versions"]] == ["default", "gpu"]
    await two.harness.update("plus", '{"promote": {"version": "1"}}')
    await two.harness.update("plus", '{"shadow": {"version": "2", "percent": 100}}')
    await two.harness.infer("plus", {"x": row(1, 2)})
    await two.harness.advance(10_000)
    compared = two.harness.out.views["plus"]["shadow"]["2"]
    assert (compared["compared"], compared["equal"]) == (1, 1)
    await two.harness.update("plus", '{"promote": {"version": "2"}}')
    await two.harness.infer("plus", {"x": row(1, 2)})
    assert json.loads(two.harness.reply("update-1").record)["versions"][0]["pool"] == "default"


async def test_a_sequence_goes_on_where_it_began(tmp_path: Path) -> None:
    """Its states lie with the function of a pool, where its steps find them although others begin in another pool.

    A version that was unloaded and registered in another pool knows none of its former sequences.
    """
    workers = [
        Inference(Shelf(Opener(), 1 << 30), DictPayloads(), pool=pool, clock=lambda: 0.0) for pool in ("default", "gpu")
    ]
    harness, uri = Harness(*workers), str(running_sum(tmp_path / "sum.onnx"))
    await harness.register("sum", uri, "1", config=SUM)
    assert await ask(harness, step(harness, 7, 1, start=True)) == [1]
    await harness.register("sum", uri, "2", config=SUM | GPU)
    assert await ask(harness, step(harness, 7, 2)) == [3]
    assert await ask(harness, step(harness, 8, 5, start=True)) == [5]
    assert await ask(harness, step(harness, 7, 3), step(harness, 8, 1)) == [6, 6]
    assert {function for function, key in harness.states if "/seq/" in key} == {INFERENCE, ELSEWHERE}
    await harness.update("sum", '{"unload": {"version": "1", "force": true}}')
    await harness.register("sum", uri, "1", config=SUM | GPU)
    assert await ask(harness, step(harness, 7, 4, version="1")) == ["sequence_not_found"]
    for worker in workers:
        await worker.close()


async def test_a_lost_worker_of_a_pool_bounces_what_it_had() -> None:
    """To router and registry, as that of the default pool."""

    class Broken:
        typename, state = ELSEWHERE, None

        async def serve(self, calls: object, done: object) -> None:
            raise RuntimeError("worker died")

    two = Two()
    harness = Harness(Inference(two.shelves["default"], two.payloads), Broken())
    with pytest.raises(LookupError, match="not answered yet"):
        await harness.register("plus", "toy", config=GPU)
    bounced = [mail for mail in harness.sent if mail.typename.endswith("/Bounced")]
    assert {mail.to for mail in bounced} == {(REGISTRY, "plus")}
