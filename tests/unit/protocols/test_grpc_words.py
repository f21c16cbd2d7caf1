"""gRPC's words over HTTP/2."""

from __future__ import annotations

import gzip
import zlib
from urllib.parse import unquote

import pytest
from hpack import Decoder

from scurry.gateway.status import STATUSES
from scurry.protocols import grpc_words
from scurry.wire.errors import InvalidRequest

HEADERS = ((":method", "POST"), (":path", "/s/M"), ("content-type", "application/grpc+proto"))


@pytest.mark.parametrize(
    ("text", "micros"), [("1H", 3_600_000_000), ("2M", 120_000_000), ("3S", 3_000_000), ("40m", 40_000), ("5u", 5),
                         ("1n", 1), ("", 0), ("soon", 0), ("123456789S", 0)],
)  # fmt: skip
def test_time_outs_are_read(text, micros):
    """What is none is as if it were not there."""
    assert grpc_words.head_of((*HEADERS, ("grpc-timeout", text))).timeout_us == micros


def test_a_head_tells_whom_it_calls():
    """And why it is no call."""
    head = grpc_words.head_of((*HEADERS, ("scurry-key", "k")))
    assert (head.path, head.metadata["scurry-key"], head.encoding, head.fault) == ("/s/M", "k", "identity", "")
    assert grpc_words.head_of(((":method", "GET"), (":path", "/"))).fault


def test_every_status_of_ours_has_a_number():
    """The table's names are gRPC's."""
    assert {row.grpc for row in STATUSES.values()} <= grpc_words.CODES.keys()


def test_a_status_is_read_by_others():
    """With its text, whatever that holds."""
    text = 'größer als "100 %"\n' + "x" * 500
    found = dict(Decoder().decode(grpc_words.trailers("NOT_FOUND", text)))
    assert found["grpc-status"] == "5"
    assert unquote(found["grpc-message"]) == text


def test_messages_are_inflated_within_the_limit():
    """By gzip or deflate; a bomb stops at the limit."""
    assert grpc_words.inflated(gzip.compress(b"abc"), "gzip", 3) == b"abc"
    assert grpc_words.inflated(zlib.compress(b"abc"), "deflate", 3) == b"abc"
    for data, encoding, code in (
        (gzip.compress(bytes(10_000_000)), "gzip", "too_large"), (b"no gzip", "gzip", "bad_request"),
        (gzip.compress(b"abc")[:-9], "gzip", "bad_request"), (b"", "snappy", "bad_request"),
    ):  # fmt: skip
        with pytest.raises(InvalidRequest) as refused:
            grpc_words.inflated(data, encoding, 1000)
        assert refused.value.code == code


def test_a_head_tells_its_service_and_whether_it_has_wishes():
    """The service is the path up to its method; who asks for nothing but an answer has no wishes."""
    head = grpc_words.head_of(HEADERS)
    assert (head.service, head.wishes) == ("/s/", False)
    for name in ("prefer", "idempotency-key", "scurry-callback"):
        assert grpc_words.head_of((*HEADERS, (name, ""))).wishes
    assert grpc_words.head_of(((":path", "*"),)).service == ""
