"""A shelf with toys and payloads in a dict."""

from __future__ import annotations

import pytest
from tests.unit.inference.toys import DictPayloads, Shop

from scurry.inference.shelf import Shelf


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
