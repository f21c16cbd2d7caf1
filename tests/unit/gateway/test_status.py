"""The one table of statuses."""

from __future__ import annotations

from http import HTTPStatus

import grpc
import pytest

from scurry.gateway.status import STATUSES, status_of
from scurry.wire.errors import Failed, InvalidRequest, NotFound, Unavailable


def test_every_code_has_a_row_and_every_row_a_code() -> None:
    """A code added to wire/errors.py must be given its statuses."""
    codes = InvalidRequest.codes | NotFound.codes | Unavailable.codes | Failed.codes
    assert set(STATUSES) == codes


@pytest.mark.parametrize(("kind", "low", "high"), [(InvalidRequest, 400, 499), (NotFound, 404, 404)])
def test_what_the_caller_must_change_is_4xx(kind: type[InvalidRequest | NotFound], low: int, high: int) -> None:
    """Retrying those as they are is no use."""
    assert all(low <= STATUSES[code].http <= high and not STATUSES[code].retry_after for code in kind.codes)


@pytest.mark.parametrize("code", sorted(Unavailable.codes))
def test_what_may_succeed_later_is_503_429_or_504(code: str) -> None:
    """503 and 429 say when to try again."""
    row = STATUSES[code]
    assert row.http in (503, 429, 504)
    assert (row.http != 504) == (row.retry_after > 0)


def test_the_names_of_statuses_exist() -> None:
    """HTTP knows each number and gRPC each name."""
    for row in STATUSES.values():
        assert HTTPStatus(row.http)
        assert grpc.StatusCode[row.grpc]


def test_an_unknown_code_is_internal() -> None:
    """A newer job may know codes that this gateway does not."""
    assert status_of("of_tomorrow") == STATUSES["internal"]
