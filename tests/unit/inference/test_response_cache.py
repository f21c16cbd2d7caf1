"""Answers that are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.inference.toys import DictPayloads, Shop, Toy, body, call, replies, request, row, sent

from scurry.inference.function import Inference
from scurry.inference.items import claim
from scurry.inference.layouts import LayoutCache
from scurry.inference.response_cache import OVERHEAD_BYTES, ResponseCache
from scurry.inference.shelf import Shelf, identity_of
from scurry.runtimes.options import Options
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.messages_pb2 import ENCODING_INPUTS, Load, ModelSpec, Reply, Unload

A, B = ModelSpec(identity="a"), ModelSpec(identity="b")


def items_of(*values: int):
    """A claimed item for each value."""
    return claim([request(at, body(x=row(each, 0))) for at, each in enumerate(values)], LayoutCache(Toy()))


def computed(items, size: int = 8):
    """The same with outputs."""
    for item in items:
        item.outputs = [((1, 2), bytes(size))]
    return items


def test_the_same_question_is_answered_from_memory():
    """By the same registration alone, and by what was asked alone."""
    cache = ResponseCache(1 << 20)
    first = items_of(1, 2)
    missed = cache.answer(A, first)
    assert [item for _, item in missed] == first
    computed(first)
    cache.keep(A, missed)
    again = items_of(1, 3)
    assert [item for _, item in cache.answer(A, again)] == [again[1]]
    assert (again[0].cached, again[0].outputs) == (True, first[0].outputs)
    assert len(cache.answer(B, items_of(1, 2))) == 2
    assert (cache.hits, cache.misses, len(cache)) == (1, 5, 2)


def test_an_unloaded_registration_leaves_nothing():
    """Its answers go with it, those of others stay."""
    cache = ResponseCache(1 << 20)
    for owner in (A, B):
        items = items_of(1)
        missed = cache.answer(owner, items)
        computed(items)
        cache.keep(owner, missed)
    cache.forget("a")
    assert (len(cache), cache.bytes) == (1, OVERHEAD_BYTES + 8)
    assert cache.answer(A, items_of(1))
    assert not cache.answer(B, items_of(1))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 600)), max_size=60))
def test_it_never_takes_more_than_it_may(asked):
    """The least recently used go, whatever is too large is not kept at all, failures are never."""
    cache = ResponseCache(16 * (OVERHEAD_BYTES + 400))
    for value, size in asked:
        items = items_of(value)
        missed = cache.answer(A, items)
        if missed:
            computed(items, size)
            cache.keep(A, missed)
        assert cache.bytes <= 16 * (OVERHEAD_BYTES + 400)
        assert cache.bytes == sum(size for _, size, _ in cache._kept.values())
        assert all(size <= OVERHEAD_BYTES + 400 for _, size, _ in cache._kept.values())


def test_a_failure_is_not_kept():
    """The next one is computed again."""
    cache = ResponseCache(1 << 20)
    items = items_of(1)
    missed = cache.answer(A, items)
    items[0].fail(ValueError("no"))
    cache.keep(A, missed)
    assert len(cache) == 0


async def test_a_hit_says_that_it_is_one():
    """In both encodings; the model is asked once, until it is unloaded; models without a cache are always asked."""
    shop, toys = Shop(), []

    def toy(enabled: bool):
        def make() -> Toy:
            made = Toy()
            made.options = Options(response_cache=enabled)
            toys.append(made)
            return made

        return make

    shop.toys.update(m=toy(True), plain=toy(False))
    inference = Inference(Shelf(shop, 1000), DictPayloads(), cache=ResponseCache(1 << 20))

    async def ask(number: int, content: bytes, model: str = "m", **fields) -> Reply:
        made = call(sent(request(number, content, **fields)), key=f"{model}@1/0")
        await inference.serve([made], lambda _: None)
        return replies(made)[0]

    first = InferReply.FromString((await ask(1, body(x=row(1, 2)))).body)
    again = InferReply.FromString((await ask(2, body(x=row(1, 2)))).body)
    assert (len(first.parameters), again.parameters["cache_hit"].bool_value) == (0, True)
    assert again.outputs == first.outputs
    json = b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}'
    assert b'"cache_hit":true' in (await ask(3, json, encoding=ENCODING_INPUTS)).body
    assert len(toys[0].seen) == 1
    unload = Unload(model="m", version="1", identity=identity_of(ModelSpec(uri="toy", generation=1)))
    await inference.serve([call(unload, key="m@1/load/0")], lambda _: None)
    await inference.serve([call(Load(model="m", version="1", spec=ModelSpec(uri="toy", generation=1)))], lambda _: None)
    assert not InferReply.FromString((await ask(6, body(x=row(1, 2)))).body).parameters
    for number in (4, 5):
        assert not InferReply.FromString((await ask(number, body(x=row(1, 2)), "plain")).body).parameters
    assert len(toys[-1].seen) == 2
