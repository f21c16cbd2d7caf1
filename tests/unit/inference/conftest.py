"""A shelf with toys and payloads in a dict."""

from __future__ import annotations

import pytest
from toys import DictPayloads, Shop

from scurry.inference.shelf import Shelf


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def shelf(shop: Shop) -> Shelf:
    return Shelf(shop.open, budget=1000)


@pytest.fixture
def payloads() -> DictPayloads:
    return DictPayloads()
