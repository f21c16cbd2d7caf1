"""Memory is admitted before work."""

import pytest

from scurry.gateway.limits import COPIES, NO_LIMITS, Admission, TenantsInFlight, TensorLimits
from scurry.wire.errors import InvalidRequest, Unavailable
from scurry.wire.infer_pb2 import InferRequest, Tensor


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


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (TensorLimits(max_tensor_bytes=7), "Input 'x' has 8 bytes, 7 are the limit here"),
        (TensorLimits(max_rows=1), "Input 'x' has 2 rows, 1 are the limit here"),
        (TensorLimits(max_tensor_bytes=8, max_rows=2), ""),
        (NO_LIMITS, ""),
    ],
)
def test_a_tensor_above_its_limit_is_named(limits, said):
    """0 is no limit; a scalar has no rows."""
    scalar = Tensor(name="s", datatype="FP32", data=bytes(4))
    request = InferRequest(inputs=[scalar, Tensor(name="x", datatype="FP32", shape=[2, 1], data=bytes(8))])
    if not said:
        limits.check(request)
        return
    with pytest.raises(InvalidRequest, match=said) as refused:
        limits.check(request)
    assert refused.value.code == "too_large"


def test_each_tenant_has_its_own_number():
    """Until one is answered; nobody is remembered who waits for nothing."""
    each = TenantsInFlight(1)
    each.check("blue")
    leave = each.entered("blue")
    each.check("red")
    with pytest.raises(Unavailable, match="of tenant 'blue'"):
        each.check("blue")
    leave(None)
    each.check("blue")
    assert repr(each) == "<TenantsInFlight 0 tenants, 1 each>"
