"""Error replies, taken apart."""

import pytest

from scurry.redis.refusal import Refusal


@pytest.mark.parametrize(
    ("text", "passes", "asks", "node"),
    [
        ("MOVED 866 10.0.0.2:6379", True, False, "10.0.0.2:6379"),
        ("MOVED 866 :6380", True, False, ":6380"),
        ("MOVED 866 fe80::1:6379", True, False, "fe80::1:6379"),
        ("ASK 866 b:2", True, True, "b:2"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", True, False, ""),
        ("LOADING Redis is loading the dataset in memory", True, False, ""),
        ("MOVED 866 nonsense", False, False, ""),
        ("MOVED", False, False, ""),
        ("OOM command not allowed when used memory > 'maxmemory'.", False, False, ""),
        ("", False, False, ""),
    ],
)
def test_a_refusal_says_whether_it_passes_and_where_to_go(text: str, passes: bool, asks: bool, node: str) -> None:
    """Anything else stays a refusal."""
    refusal = Refusal.parse(text)
    assert (refusal.passes, refusal.asks, refusal.node) == (passes, asks, node)
