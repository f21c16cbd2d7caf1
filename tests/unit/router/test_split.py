"""Which version of a split a caller falls on."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scurry.router.split import pick

KEYS = [f"user-{number}" for number in range(300)]
weights = st.integers(1, 2**31 - 1) | st.integers(1, 100)


def shares(split: list[tuple[str, int]], experiment: str = "m/1", keys: list[str] = KEYS) -> dict[str, str]:
    """Who falls on what."""
    return {key: pick(split, experiment, key) for key in keys}


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("abcd"), weights, min_size=1), weights, st.integers(0, 2**31 - 1), st.data())
def test_a_canary_that_grows_only_wins_keys(
    others: dict[str, int], canary: int, more: int, data: st.DataObject
) -> None:
    """Whatever the weights: no key leaves it, and none moves between the others while their shares are alike."""
    before = shares([*others.items(), ("canary", canary)])
    after = shares([*others.items(), ("canary", canary + more)])
    assert all(after[key] in (before[key], "canary") for key in KEYS)
    # also where the others shrink for it, as in 90/10 to 80/20
    shrunk = {name: data.draw(st.integers(0, weight)) for name, weight in others.items()}
    fewer = shares([*shrunk.items(), ("canary", canary + more)])
    assert all(fewer[key] == "canary" for key in KEYS if before[key] == "canary")


@pytest.mark.parametrize("split", [[("1", 90), ("2", 10)], [("2", 10), ("1", 90)], [("1", 9), ("2", 1)]])
def test_90_to_10_of_100_000_ids(split: list[tuple[str, int]]) -> None:
    """Each gets its share within half a percent, whatever the order and the scale of the weights."""
    keys = [f"request-{number}" for number in range(100_000)]
    picked = Counter(shares(split, keys=keys).values())
    assert picked["2"] / len(keys) == pytest.approx(0.1, abs=0.005)
    assert shares(split) == shares([("1", 900), ("2", 100)])


def test_three_shares() -> None:
    """They hold for more than two as well."""
    keys = [str(number) for number in range(60_000)]
    picked = Counter(shares([("1", 5), ("2", 3), ("3", 2)], keys=keys).values())
    assert [picked[version] / len(keys) for version in "123"] == pytest.approx([0.5, 0.3, 0.2], abs=0.007)


def test_another_experiment_meets_others() -> None:
    """Of those who had the canary before, no more than its share has it again."""
    keys = [str(number) for number in range(20_000)]
    split = [("1", 80), ("2", 20)]
    first, second = shares(split, "m/1", keys), shares(split, "m/2", keys)
    again = [key for key in keys if first[key] == "2" and second[key] == "2"]
    assert len(again) / len(keys) == pytest.approx(0.04, abs=0.005)
    assert shares(split, "m/1", keys) == first


def test_a_version_without_weight_is_not_picked() -> None:
    """Weight 0 means no share; alone it is picked without asking."""
    assert set(shares([("1", 0), ("2", 5), ("3", 0)]).values()) == {"2"}
    assert pick([("1", 1)], "m/1", "é") == "1"


def test_every_process_chooses_alike() -> None:
    """A replay elsewhere never chooses again."""
    split = [("1", 3), ("2", 2), ("3", 1)]
    code = f"from scurry.router.split import pick; print([pick({split}, 'm/7', str(n)) for n in range(50)])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == str([pick(split, "m/7", str(number)) for number in range(50)])
