"""What headers wish for."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from multidict import CIMultiDict

from scurry.gateway.doors.heads import Head, has_wishes
from scurry.gateway.doors.wishes import Wishes, key_of, refusal_of_stream, refuse_wishes, wishes_more, wishes_of
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
        ({"Prefer": 'wait="10"; strict, respond-async;x=1, wait=3'}, Wishes(later=True, wait_s=10)),
        (CIMultiDict([("Prefer", "wait=2"), ("prefer", "respond-async")]), Wishes(later=True, wait_s=2)),
        ({"Idempotency-Key": " k "}, Wishes(key="k")),
        (CIMultiDict([("Idempotency-Key", "k"), ("Idempotency-Key", "k")]), Wishes(key="k")),
        ({"Prefer": "respond-async", "Scurry-Callback": "https://x/"}, Wishes(later=True, callback="https://x/")),
    ],
)
def test_wishes(headers: Mapping[str, str], wishes: Wishes) -> None:
    """Preferences that mean nothing here are passed over."""
    assert wishes_of(headers) == wishes
    assert wishes.any is (wishes.later or bool(wishes.key))
    assert wishes_more(Head("POST", "/", headers, 0, True, has_wishes(headers))) is wishes.any


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": " "},
        {"Scurry-Callback": "https://x/"},
        CIMultiDict([("Idempotency-Key", "k"), ("Idempotency-Key", "l")]),
    ],
)
def test_what_cannot_be_meant(headers: Mapping[str, str]) -> None:
    """An empty key, two keys, and a call-back for an answer that is waited for."""
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


@pytest.mark.parametrize("headers", [{"Prefer": "respond-async"}, {"Idempotency-Key": "k"}])
def test_refusing(headers: dict[str, str]) -> None:
    """The sentence has the header and the reason; other preferences are passed over."""
    sentence = f"Header {next(iter(headers))}.* not offered here: we are tired.$"
    with pytest.raises(InvalidRequest, match=sentence) as told:
        refuse_wishes(headers, "we are tired.")
    assert told.value.code == "not_offered"
    refuse_wishes({"Prefer": "return=minimal"}, "we are tired.")
