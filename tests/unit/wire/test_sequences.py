"""A step is named by three parameters, whatever type they came in."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.wire.errors import InvalidRequest
from scurry.wire.sequences import ID_BYTES, read


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({}, ("", False, False)),
        ({"sequence_id": 0, "sequence_start": True}, ("", True, False)),
        ({"sequence_id": 7, "sequence_start": True}, ("7", True, False)),
        ({"sequence_id": 2**63 - 1, "sequence_end": True}, (str(2**63 - 1), False, True)),
        ({"sequence_id": "a/b c", "sequence_start": 1, "sequence_end": 0, "other": []}, ("a/b c", True, False)),
    ],
)
def test_what_names_a_step(parameters: dict[str, Any], named: tuple[str, bool, bool]) -> None:
    """Numbers and text name a sequence; 0 and empty name none."""
    assert read(parameters) == named


@pytest.mark.parametrize(
    "parameters",
    [{"sequence_id": True}, {"sequence_id": 1.5}, {"sequence_id": "x" * (ID_BYTES + 1)}, {"sequence_start": "yes"}],
)
def test_what_names_none_is_refused(parameters: dict[str, Any]) -> None:
    """With the parameter's name."""
    with pytest.raises(InvalidRequest, match=next(iter(parameters))):
        read(parameters)
