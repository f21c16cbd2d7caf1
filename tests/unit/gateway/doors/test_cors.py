"""What web pages of other origins may do."""

from __future__ import annotations

import pytest

from scurry.gateway.doors.cors import Cors, is_preflight
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.replies import json_reply

PAGE = "https://app.example"


def head(method: str = "GET", **headers: str) -> Head:
    """A request with these headers, in lower case as the parser's mapping would find them."""
    return Head(method, "/v2", {name.replace("_", "-"): value for name, value in headers.items()}, 0, True)


@pytest.mark.parametrize(
    ("origins", "origin", "expected"),
    [
        ([PAGE], PAGE, PAGE),
        ([PAGE], "https://app.example.evil", ""),
        ([PAGE], "http://app.example", ""),
        ([PAGE], "null", ""),
        ([PAGE], "", ""),
        (["*"], "https://any.example", "https://any.example"),
        ([], PAGE, ""),
    ],
)
def test_only_named_origins_may(origins: list[str], origin: str, expected: str) -> None:
    """Whole and exact."""
    assert Cors(origins).origin_of(head(origin=origin)) == expected


def test_a_browser_is_told_what_it_may_send() -> None:
    """For its origin only; a cookie is never asked for."""
    reply = Cors([PAGE]).preflight(PAGE)
    assert (reply.status, reply.parts) == (204, [])
    assert f"\r\nAccess-Control-Allow-Origin: {PAGE}\r\n".encode() in reply.head
    assert b"\r\nVary: Origin\r\n" in reply.head
    assert b"Credentials" not in reply.head


def test_an_answer_is_shown_to_the_page_and_its_original_stays() -> None:
    """An answer may be kept for others."""
    reply = json_reply({})
    shown = Cors([PAGE]).shown(reply, PAGE)
    assert b"Access-Control-Allow-Origin" not in reply.head
    assert shown.head.startswith(reply.head)
    assert shown.head.endswith(b"\r\n")
    assert shown.parts is reply.parts


def test_a_preflight_is_an_options_with_its_header() -> None:
    """Others are requests like any."""
    assert is_preflight(head("OPTIONS", access_control_request_method="POST"))
    assert not is_preflight(head("OPTIONS"))
    assert not is_preflight(head("GET", access_control_request_method="POST"))
