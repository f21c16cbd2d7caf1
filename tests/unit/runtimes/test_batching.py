"""What a config says of batches."""

from __future__ import annotations

import pytest

from scurry.runtimes.batching import batching
from scurry.runtimes.padding import PaddingRule
from scurry.wire.errors import Failed


def test_all_that_can_be_said():
    """Each name in its place."""
    said = {
        "dynamic_batching": {"preferred_batch_size": [8, 4, 8]},
        "batch_padding": True,
        "padding": {"ids": {"sizes": [16, 8], "value": 1, "trims": ["tokens"]}},
        "response_cache": {"enable": True},
    }
    assert batching(said) == {
        "preferred_batch_size": (4, 8),
        "batch_padding": True,
        "padding": {"ids": PaddingRule((8, 16), 1, ("tokens",))},
        "response_cache": True,
    }
    assert not any(batching({}).values())
    assert batching({"dynamic_batching": {"preferred_batch_size": 4}})["preferred_batch_size"] == (4,)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"dynamic_batching": {"preferred_batch_size": [0]}}, "dynamic_batching.preferred_batch_size"),
        ({"dynamic_batching": {"preferred_batch_size": [True]}}, "dynamic_batching.preferred_batch_size"),
        ({"dynamic_batching": {"preferred_batch_size": "4"}}, "dynamic_batching.preferred_batch_size"),
        ({"batch_padding": 1}, "batch_padding"),
        ({"padding": []}, "padding"),
        ({"padding": {"x": {}}}, "padding.x"),
        ({"padding": {"x": {"sizes": []}}}, "padding.x"),
        ({"padding": {"x": {"sizes": [8], "size": 1}}}, "padding.x"),
        ({"padding": {"x": {"sizes": [8.5]}}}, "padding.x.sizes"),
        ({"padding": {"x": {"sizes": [8], "value": "0"}}}, "padding.x.value"),
        ({"padding": {"x": {"sizes": [8], "trims": "y"}}}, "padding.x.trims"),
        ({"response_cache": True}, "response_cache"),
        ({"response_cache": {"enable": 1}}, "response_cache.enable"),
        ({"response_cache": {"enabled": True}}, "response_cache"),
    ],
)
def test_what_is_wrong_is_named(said, name):
    """Refused when the model is registered."""
    with pytest.raises(Failed) as caught:
        batching(said)
    assert (caught.value.code, repr(name) in caught.value.message) == ("load_failed", True)
