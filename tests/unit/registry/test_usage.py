"""Who would miss a version."""

from __future__ import annotations

import pytest
from tests.unit.registry.course import ready, update

from scurry.registry.usage import refuse_in_use
from scurry.wire.errors import InvalidRequest


def test_uses_are_named_and_the_rest_is_free() -> None:
    """Shares, heirs and aliases; a version without them may go."""
    record = ready("1", "2").on(update("alias", alias="a", version="2")).record
    refuse_in_use(record, record.versions[0])
    with pytest.raises(InvalidRequest, match=r"version 1 would get them\); alias 'a' stands for it") as refused:
        refuse_in_use(record, record.versions[1])
    assert refused.value.code == "not_allowed"
    assert len(record.versions) == 2
