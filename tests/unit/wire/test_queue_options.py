"""What a config says of its queue and its lanes."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.wire.queue_options import QueueOptions, read


def batching(**fields: Any) -> dict[str, Any]:
    """Triton's nesting."""
    return {"dynamic_batching": fields}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({}, QueueOptions()),
        ({"max_batch_size": 8}, QueueOptions()),
        (batching(priority_levels=3, default_priority_level=2), QueueOptions(0, 0, 3, 2)),
        (
            batching(default_queue_policy={"max_queue_size": 7, "default_timeout_microseconds": 5}),
            QueueOptions(max_queue_size=7, default_timeout_us=5),
        ),
        ({"instance_group": [{"count": 2}, {"count": 3, "kind": "KIND_CPU"}]}, QueueOptions(lanes=5)),
        ({"instance_group": [{"kind": "KIND_CPU"}]}, QueueOptions()),
    ],
)
def test_what_is_said_is_read(config: dict[str, Any], told: QueueOptions) -> None:
    """In Triton's words; what is not said is 0."""
    assert read(config) == told


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (batching(priority_levels=3), "dynamic_batching.default_priority_level must be one of the levels, 1 to 3"),
        (batching(priority_levels=17), "dynamic_batching.priority_levels must be a whole number from 0 to 16"),
        (batching(default_priority_level=1), "default_priority_level must be a whole number from 0 to 0"),
        (batching(priority_levels=2, default_priority_level=3), "from 0 to 2"),
        (batching(default_queue_policy=[]), "dynamic_batching.default_queue_policy must be an object"),
        (batching(default_queue_policy={"max_queue_size": True}), "max_queue_size must be a whole number from 0"),
        (batching(preferred_batch_sizes=[4]), "has no 'preferred_batch_sizes'; was 'preferred_batch_size' meant"),
        (batching(default_queue_policy={"max_size": 1}), "queue_policy has no 'max_size'; was 'max_queue_size'"),
        ({"instance_group": [{"cont": 2}]}, "instance_group has no 'cont'; was 'count' meant"),
        ({"instance_group": [{"zz": 2}]}, "instance_group has no 'zz'; it may have count, gpus, host_policy"),
        ({"dynamic_batching": 1}, "dynamic_batching must be an object"),
        ({"instance_group": {}}, "instance_group must be a list of objects"),
        ({"instance_group": [{"count": "2"}]}, "instance_group.count must be a whole number from 0 to 16"),
        ({"instance_group": [{"count": 16}, {"count": 1}]}, "a count of at most 16 in all"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(config: dict[str, Any], words: str) -> None:
    """The sentence names the field."""
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        read(config)
