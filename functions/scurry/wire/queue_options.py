"""What a version's config says of its queue and its lanes.

The names are Triton's: `dynamic_batching` with `priority_levels`, `default_priority_level` and `default_queue_policy`
{`max_queue_size`, `default_timeout_microseconds`}, and `instance_group` [{`count`}]. Registry and workers read them
alike.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from scurry.wire.names import MOST_LANES, MOST_LEVELS

BATCHING: Final = "dynamic_batching"
POLICY: Final = "default_queue_policy"
INSTANCES: Final = "instance_group"
READ: Final = frozenset({"priority_levels", "default_priority_level", POLICY})
"""What is read of `dynamic_batching`."""
READ_OF_POLICY: Final = frozenset({"max_queue_size", "default_timeout_microseconds"})
KNOWN: Final = READ | {
    "preferred_batch_size", "max_queue_delay_microseconds", "preserve_ordering", "priority_queue_policy",
}  # fmt: skip
KNOWN_OF_POLICY: Final = READ_OF_POLICY | {"timeout_action", "allow_timeout_override"}
KNOWN_OF_INSTANCES: Final = frozenset(
    {"name", "kind", "count", "rate_limiter", "gpus", "secondary_devices", "profile", "passive", "host_policy"}
)
"""What Triton has there: some of it has no effect, any other name is a mistake."""
MOST: Final = 2**31 - 1
MOST_MICROS: Final = 2**53


class QueueOptions(NamedTuple):
    """What a config says; 0 is nothing."""

    max_queue_size: int = 0
    default_timeout_us: int = 0
    priority_levels: int = 0
    default_priority_level: int = 0
    lanes: int = 0


def read(config: Mapping[str, Any]) -> QueueOptions:
    """What a config says. Raises `ValueError` that names the field."""
    batching = _object(config, BATCHING, "")
    policy = _object(batching, POLICY, f"{BATCHING}.")
    refuse_unknown(BATCHING, batching, KNOWN)
    refuse_unknown(f"{BATCHING}.{POLICY}", policy, KNOWN_OF_POLICY)
    levels = _number(batching, "priority_levels", MOST_LEVELS, f"{BATCHING}.")
    default = _number(batching, "default_priority_level", levels, f"{BATCHING}.")
    if levels and not default:
        raise ValueError(f"{BATCHING}.default_priority_level must be one of the levels, 1 to {levels}")
    return QueueOptions(
        max_queue_size=_number(policy, "max_queue_size", MOST, f"{BATCHING}.{POLICY}."),
        default_timeout_us=_number(policy, "default_timeout_microseconds", MOST_MICROS, f"{BATCHING}.{POLICY}."),
        priority_levels=levels,
        default_priority_level=default,
        lanes=_instances(config),
    )


def refuse_unknown(where: str, given: Collection[str], known: Collection[str]) -> None:
    """Raise `ValueError` that names the first of the names which nobody knows, and the nearest that somebody does."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, 1)
        hint = f"was {near[0]!r} meant?" if near else f"it may have {', '.join(sorted(known))}"
        raise ValueError(f"{where} has no {unknown[0]!r}; {hint}")


def _instances(config: Mapping[str, Any]) -> int:
    """The instances of all groups; a group that names no count says nothing of them."""
    groups = config.get(INSTANCES, [])
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise ValueError(f"{INSTANCES} must be a list of objects")
    for group in groups:
        refuse_unknown(INSTANCES, group, KNOWN_OF_INSTANCES)
    total = sum([_number(group, "count", MOST_LANES, f"{INSTANCES}.") for group in groups])
    if total > MOST_LANES:
        raise ValueError(f"{INSTANCES} may have a count of at most {MOST_LANES} in all")
    return total


def _object(part: Mapping[str, Any], key: str, before: str) -> Mapping[str, Any]:
    value: Mapping[str, Any] = part.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"{before}{key} must be an object")  # noqa: TRY004 - it is what came from outside
    return value


def _number(part: Mapping[str, Any], key: str, most: int, before: str) -> int:
    value = part.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{before}{key} must be a whole number from 0" + (f" to {most}" if most < MOST else ""))
    return value
