"""Memory is admitted before work."""

import pytest

from scurry.gateway.limits import COPIES, Admission
from scurry.wire.errors import InvalidRequest, Unavailable


def test_room_is_given_back_whatever_happens():
    """Also by a call that ends in an error."""
    admission = Admission(1000)
    with pytest.raises(ValueError, match="a bug"), admission.room() as room:
        room.hold_body(100)
        room.take(50)
        assert repr(admission) == f"<Admission {100 * COPIES + 50} of 1000 bytes taken>"
        raise ValueError("a bug")
    assert repr(admission) == "<Admission 0 of 1000 bytes taken>"


def test_a_body_is_counted_once_however_often_its_size_is_told():
    """Announced at first, then as it comes: the larger counts."""
    with Admission(1000).room() as room:
        room.hold_body(100)
        room.hold_body(60)
        assert repr(room) == f"<Room of {100 * COPIES} bytes>"
        room.hold_body(120)
        assert repr(room) == f"<Room of {120 * COPIES} bytes>"


def test_what_never_fits_is_too_large_and_what_does_not_fit_now_is_overloaded():
    """The caller knows whether to try again."""
    admission = Admission(1000)
    with admission.room() as one, admission.room() as two:
        one.take(900)
        with pytest.raises(Unavailable) as later:
            two.take(200)
        with pytest.raises(InvalidRequest) as never:
            two.take(1001)
    assert (later.value.code, never.value.code) == ("overloaded", "too_large")
    with admission.room() as room:
        room.take(1000)
