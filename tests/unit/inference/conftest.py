"""A shelf with toys and payloads in a dict."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.unit.inference.toys import DictPayloads, Shop, ToyChildren
from tests.unit.runtimes.conftest import linear  # noqa: F401 - models of onnx for those who open real ones

from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.wire.names import Keys


@pytest.fixture
def shop() -> Shop:
    """Where the shelf gets its models."""
    return Shop()


@pytest.fixture
def shelf(shop: Shop) -> Shelf:
    """A shelf for ten toys."""
    return Shelf(shop, budget=1000)


@pytest.fixture
def payloads() -> DictPayloads:
    """A store that holds nothing yet."""
    return DictPayloads()


@pytest.fixture
async def children() -> ToyChildren:
    """No processes."""
    return ToyChildren()


@pytest.fixture
async def inference(shelf: Shelf, payloads: DictPayloads, children: ToyChildren) -> AsyncIterator[Inference]:
    """The function, with children."""
    made = Inference(shelf, payloads, keys=Keys("ns"), clock=lambda: 100.0, children=children)
    yield made
    await made.close()
