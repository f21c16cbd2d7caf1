"""What headers wish for."""

from __future__ import annotations

import pytest

from scurry.gateway.doors.wishes import Wishes, key_of, refusal_of_stream, wishes_of
from scurry.wire.errors import InvalidRequest


@pytest.mark.parametrize(
    ("headers", "wishes"),
    [
        ({}, Wishes()),
        ({"Prefer": "return=minimal"}, Wishes()),
        ({"Prefer": "respond-async"}, Wishes(later=True)),
        ({"Prefer": "handling=lenient, Respond-Async"}, Wishes(later=True)),
        ({"Prefer": "respond-async, wait=10"}, Wishes(later=True, wait_s=10)),
        ({"Prefer": "respond-async, wait=soon"}, Wishes(later=True)),
        ({"Prefer": "respond-async, wait=-1"}, Wishes(later=True)),
        ({"Idempotency-Key": " k "}, Wishes(key="k")),
        ({"Prefer": "respond-async", "Scurry-Callback": "https://x/"}, Wishes(later=True, callback="https://x/")),
    ],
)
def test_wishes(headers: dict[str, str], wishes: Wishes) -> None:
    """Preferences that mean nothing here are passed over."""
    assert wishes_of(headers) == wishes
    assert wishes.any is (wishes.later or bool(wishes.key))


@pytest.mark.parametrize("headers", [{"Idempotency-Key": " "}, {"Scurry-Callback": "https://x/"}])
def test_what_cannot_be_meant(headers: dict[str, str]) -> None:
    """An empty key, and a call-back for an answer that is waited for."""
    with pytest.raises(InvalidRequest, match=next(iter(headers))):
        wishes_of(headers)


def test_the_key_of_a_grpc_call() -> None:
    """Nothing else is wished there: what only HTTP grants is refused, not passed over."""
    assert key_of({"idempotency-key": " k "}) == "k"
    for name in ("prefer", "scurry-callback"):
        with pytest.raises(InvalidRequest, match=f"'{name}' is not for gRPC") as refused:
            key_of({"idempotency-key": "k", name: "respond-async"})
        assert refused.value.code == "not_offered"
    with pytest.raises(InvalidRequest, match="is empty"):
        key_of({"idempotency-key": " "})


def test_a_stream_has_no_key() -> None:
    """It has many requests."""
    assert "use ModelInfer" in refusal_of_stream({"idempotency-key": "k"}).message
    assert "'prefer'" in refusal_of_stream({"prefer": "x"}).message
