"""A version policy as it is said."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import Policy
from scurry.wire.policies import parse_policy, policy_view


@pytest.mark.parametrize(
    ("said", "policy"),
    [
        ({"latest": 2}, Policy(latest=2)),
        ({"latest": {"num_versions": 3}}, Policy(latest=3)),
        ({"latest": {}}, Policy(latest=1)),
        ({"all": True}, Policy(all=True)),
        ({"all": {}}, Policy(all=True)),
        ({"specific": ["1", 2]}, Policy(specific=["1", "2"])),
        ({"specific": {"versions": [1, 3]}}, Policy(specific=["1", "3"])),
    ],
)
def test_policies_are_read_in_our_words_and_tritons(said: object, policy: Policy) -> None:
    """As the verb has them, and as a config.pbtxt does."""
    assert parse_policy("policy", said) == policy
    assert parse_policy("policy", policy_view(policy)) == policy


@pytest.mark.parametrize(
    "said",
    [
        {}, [], 3, None, {"latest": 0}, {"latest": True}, {"latest": -1}, {"latest": 1.5}, {"latest": "x"},
        {"all": False}, {"specific": []}, {"specific": "1"}, {"specific": ["a/b"]}, {"specific": [True]},
        {"latest": 1, "all": True}, {"newest": 1}, {"latest": {"versions": 1}}, {"specific": {"versions": []}},
        {"latest": {"num_versions": "99999999999"}},
    ],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused(said: Any) -> None:
    """In a sentence that begins with its field."""
    with pytest.raises(InvalidRequest, match=r"Registry message: policy"):
        parse_policy("policy", said)
