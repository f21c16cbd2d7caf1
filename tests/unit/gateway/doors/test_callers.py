"""What callers say in headers."""

from __future__ import annotations

import pytest

from scurry.gateway.doors.callers import said_in, said_in_metadata
from scurry.wire.errors import InvalidRequest


def test_what_is_said() -> None:
    """Sticky key, trace, tenant; nothing is empty."""
    assert said_in({"Scurry-Key": "k", "traceparent": "00-1", "X-Scurry-Tenant": "t"}) == ("k", "00-1", "t")
    assert said_in_metadata({"scurry-key": "k", "traceparent": "00-1", "x-scurry-tenant": "t"}) == ("k", "00-1", "t")
    assert said_in({}) == said_in_metadata({}) == ("", "", "")


@pytest.mark.parametrize("name", ["Scurry-Key", "traceparent", "X-Scurry-Tenant"])
def test_other_characters_are_refused(name: str) -> None:
    """The header is named."""
    with pytest.raises(InvalidRequest, match=name):
        said_in({name: "ü"})
    with pytest.raises(InvalidRequest, match=name.lower()):
        said_in_metadata({name.lower(): "ü"})
