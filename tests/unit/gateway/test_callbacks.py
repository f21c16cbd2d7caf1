"""Where results may be sent to. Sending them: tests/integration/test_callback_delivery.py."""

from __future__ import annotations

import hashlib
import hmac
import socket
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.resolver import ThreadedResolver
from tests.unit.gateway import later

from scurry.gateway import callbacks as sender
from scurry.gateway.callbacks import Callbacks, PublicResolver, signature
from scurry.wire.errors import InvalidRequest, Unavailable

if TYPE_CHECKING:
    from scurry.gateway.results import Results

redis, job, client, results = later.redis, later.job, later.client, later.results
ALLOWED = "https://hooks.example.com/scurry/, http://10.0.0.5:8080/in,https://example.org/"


async def tell(request_id: str, found: Any) -> bytes:
    """A body."""
    return b"{}"


def made(results: Results, allowed: str = ALLOWED, secret: str = "s") -> Callbacks:
    """With an allow-list."""
    return Callbacks(results, tell, allowed=allowed, secret=secret)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/scurry/done?x=1",
        "https://hooks.example.com:443/scurry/",
        "https://HOOKS.example.com/scurry/a/b",
        "http://10.0.0.5:8080/in",
        "http://10.0.0.5:8080/in/here",
        "https://example.org/any",
    ],
)
async def test_below_what_is_listed(results: Results, url: str) -> None:
    """Scheme, host, port and the beginning of the path."""
    made(results).check(url)
    made(results).check("")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/scurry/",
        "https://hooks.example.com/other/",
        "https://hooks.example.com/scurry/../admin",
        "https://hooks.example.com/scurry/%2e%2e/admin",
        "https://hooks.example.com/scurry/%2E%2E%2Fadmin",
        "https://hooks.example.com:8443/scurry/",
        "https://hooks.example.com.evil.org/scurry/",
        "https://hooks.example.com@evil.org/scurry/",
        "https://evil.org@hooks.example.com/scurry/",
        "https://hooks.example.com/scurry/#x",
        "https://hooks.example.com/scurryx",
        "http://10.0.0.5:8080/inside",
        "http://10.0.0.6:8080/in",
        "http://127.0.0.1:8080/in",
        "file:///etc/passwd",
        "/scurry/",
        "https://hooks.example.com\\@evil.org/scurry/",
        "https://hooks.example.com/scurry/ x",
        "https://hooks.example.com:x/scurry/",
        "https://[/scurry/",
        "https://hooks.example.com/scurry/" + "x" * 2048,
    ],
)
async def test_everything_else_is_refused(results: Results, url: str) -> None:
    """However it is written."""
    with pytest.raises(InvalidRequest):
        made(results).check(url)


@pytest.mark.parametrize(("allowed", "secret"), [("", "s"), (ALLOWED, "")])
async def test_it_is_off_without_a_list_or_a_secret(results: Results, allowed: str, secret: str) -> None:
    """Nothing leaves unsigned."""
    with pytest.raises(InvalidRequest, match="SCURRY_CALLBACK"):
        made(results, allowed, secret).check("https://example.org/")


async def test_promises_are_bounded(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a task that waits."""
    monkeypatch.setattr(sender, "MOST", 0)
    with pytest.raises(Unavailable, match="overloaded"):
        made(results).check("https://example.org/")


def test_a_receiver_can_check_the_signature() -> None:
    """With nothing but a standard library."""
    expected = hmac.new(b"secret", b'12.{"id":1}', hashlib.sha256).hexdigest()
    assert signature(b"secret", 12, b'{"id":1}') == f"t=12,v1={expected}"


@pytest.mark.parametrize(
    ("addresses", "left"),
    [
        (["127.0.0.1"], []), (["10.1.2.3", "8.8.8.8"], ["8.8.8.8"]), (["169.254.169.254"], []), (["::1"], []),
        (["fe80::1%eth0"], []), (["::ffff:10.0.0.1"], []), (["100.64.0.1"], []), (["1.1.1.1"], ["1.1.1.1"]),
    ],
)  # fmt: skip
async def test_no_private_address_is_found_behind_a_name(
    addresses: list[str], left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the moment of sending, so that a name cannot change its mind after it was looked at."""

    async def resolve(self: Any, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[dict[str, Any]]:
        return [{"host": one} for one in addresses]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)
    if left:
        assert [one["host"] for one in await PublicResolver().resolve("x")] == left
    else:
        with pytest.raises(OSError, match="no public address"):
            await PublicResolver().resolve("x")
