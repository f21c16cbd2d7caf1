"""Which door a request is shown to."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from multidict import CIMultiDict

from scurry.gateway.access import Access
from scurry.gateway.doors.cors import Cors
from scurry.gateway.doors.entrance import Done, Entrance, answered
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.replies import HttpReply, json_reply
from scurry.gateway.limits import Admission, Room


class Named:
    """A door that says its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """At once."""
        assert head.size == len(body)
        assert room is not None
        done(json_reply(self.name))

    def __repr__(self) -> str:
        return self.name


@pytest.mark.parametrize(
    ("target", "door"),
    [
        ("/v2/models/m/infer", "rest"),
        ("/v2/results/7?wait=3", "results"),
        ("/v2/results", "results"),
        ("/v2/resultsets", "rest"),
        ("/v1/models/m:predict", "v1"),
        ("/v1?x=/v2/results", "v1"),
        ("/", "root"),
        ("/else", "rest"),
        ("", "rest"),
    ],
)
async def test_the_longest_prefix_wins(target: str, door: str) -> None:
    """Names only begin where a segment does; the root is nobody's prefix."""
    doors = {name: Named(word) for name, word in (("/v1", "v1"), ("/v2/results", "results"), ("/", "root"))}
    entrance = Entrance(Named("rest"), {**doors, "/v2/results/": Named("never")})
    with Admission(1 << 20).room() as room:
        reply: HttpReply = await answered(entrance, Head("GET", target, {}, 0, True), b"", room)
    assert reply.parts == [f'"{door}"'.encode()]
    assert repr(Entrance(Named("rest"))) == "<Entrance to rest and no other>"


def test_a_door_is_named_by_its_prefix():
    """The one that has all the rest is `oip`."""
    entrance = Entrance(object(), {"v1": object(), "/v1": object()})  # type: ignore[dict-item, arg-type]
    assert entrance.name_of("/v1/models/m:predict?x") == "/v1"
    assert [entrance.name_of(target) for target in ("/v2/models/m/infer", "/v1x", "/")] == ["oip"] * 3


class Faulty:
    """A door with a fault."""

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Raises what nobody should see."""
        raise RuntimeError("secret detail of a fault")


class Seen:
    """A door that keeps the heads it is shown."""

    def __init__(self) -> None:
        self.heads: list[Head] = []
        self.waiting: list[Done] = []

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Answered by the test."""
        self.heads.append(head)
        self.waiting.append(done)


async def ask(entrance: Entrance, target: str, method: str = "GET", **headers: str) -> HttpReply:
    """The answer to one request."""
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    with Admission(1 << 20).room() as room:
        return await answered(entrance, Head(method, target, named, 0, True), b"", room)


async def test_a_fault_of_a_door_is_an_answer_without_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    """The log has it, with the path."""
    reply = await ask(Entrance(Faulty()), "/v2/models/m")
    assert (reply.status, b"secret" in reply.parts[0], b"Traceback" in reply.parts[0]) == (500, False, False)
    assert "secret detail" in caplog.text


KEY = "key-of-the-build-machine"


@pytest.fixture
def access(tmp_path: Path) -> Access:
    """One key, for some models of a tenant, one request at a time."""
    (tmp_path / "keys").write_text(f"ci {KEY} infer,read models=digits* tenant=blue max_in_flight=1\n")
    return Access(str(tmp_path / "keys"))


@pytest.mark.parametrize(
    ("method", "target", "key", "status"),
    [
        ("GET", "/v2/health/live", "", 200),
        ("GET", "/v2/models/digits", KEY, 200),
        ("GET", "/v2/models/digits", "", 401),
        ("GET", "/v2/models/digits", "another-key", 401),
        ("GET", "/v2/models/iris", KEY, 403),
        ("POST", "/v2/repository/models/digits", KEY, 403),
        ("GET", "/nothing", KEY, 403),
    ],
)
async def test_a_key_is_asked_before_any_door(access: Access, method: str, target: str, key: str, status: int) -> None:
    """Twice; 401 says how to show one."""
    entrance = Entrance(Named("rest"), access=access)
    for _ in range(2):
        reply = await ask(entrance, target, method, **({"Authorization": f"Bearer {key}"} if key else {}))
        assert reply.status == status
        assert (b"WWW-Authenticate: Bearer" in reply.head) == (status == 401)


async def test_the_door_is_told_who_calls(access: Access) -> None:
    """The key's tenant stands where every door looks, whatever the caller wrote; one head is judged once."""
    door = Seen()
    entrance = Entrance(door, access=access)
    headers = CIMultiDict({"X-API-Key": KEY, "X-Scurry-Tenant": "red"})
    head = Head("POST", "/v2/models/digits/infer", headers, 0, True)
    with Admission(1 << 20).room() as room:
        for _ in range(2):
            entrance.begin(head, b"", room, lambda _: None)
            door.waiting.pop()(json_reply({}))
    assert door.heads[0] is door.heads[1]
    assert door.heads[0].caller.name == "ci"
    assert door.heads[0].headers["x-scurry-tenant"] == "blue"
    assert headers["X-Scurry-Tenant"] == "red"


async def test_what_was_let_in_is_judged_again_when_keys_change_or_expire(access: Access, tmp_path: Path) -> None:
    """The same head, the same connection."""
    entrance = Entrance(Named("rest"), access=access)
    head = Head("GET", "/v2/models/digits", CIMultiDict({"X-API-Key": KEY}), 0, True)
    with Admission(1 << 20).room() as room:
        assert (await answered(entrance, head, b"", room)).status == 200
        soon = datetime.fromtimestamp(time.time() + 0.3, UTC).isoformat()
        (tmp_path / "keys").write_text(f"ci {KEY} read expires={soon}\n")
        access.reread()
        assert (await answered(entrance, head, b"", room)).status == 200
        while (await answered(entrance, head, b"", room)).status == 200:  # noqa: ASYNC110 - until it is over
            await asyncio.sleep(0.05)
        (tmp_path / "keys").write_text(f"ci {KEY} infer\n")
        access.reread()
        assert (await answered(entrance, head, b"", room)).status == 403


async def test_a_key_has_its_number_of_requests(access: Access) -> None:
    """One more is 429, until one is answered."""
    door, replies = Seen(), []
    entrance = Entrance(door, access=access)
    head = Head("GET", "/v2/models/digits", CIMultiDict({"X-API-Key": KEY}), 0, True)
    with Admission(1 << 20).room() as room:
        for _ in range(2):
            entrance.begin(head, b"", room, lambda reply: replies.append(reply.status))
        assert replies == [429]
        door.waiting[0](json_reply({}))
        entrance.begin(head, b"", room, lambda reply: replies.append(reply.status))
    assert (replies, len(door.waiting)) == ([429, 200], 2)


async def test_pages_of_named_origins_may_call(access: Access) -> None:
    """A preflight shows no key and needs none; refusals can be read by the page too; others get no header."""
    entrance = Entrance(Named("rest"), access=access, cors=Cors(["https://app.example"]))
    allowed = b"Access-Control-Allow-Origin: https://app.example\r\n"
    page = {"Origin": "https://app.example"}
    asked = await ask(entrance, "/v2/models/digits", "OPTIONS", **page, Access_Control_Request_Method="POST")
    assert (asked.status, allowed in asked.head) == (204, True)
    refused = await ask(entrance, "/v2/models/digits", **page)
    assert (refused.status, allowed in refused.head) == (401, True)
    shown = await ask(entrance, "/v2/models/digits", **page, X_API_Key=KEY)
    assert (shown.status, allowed in shown.head) == (200, True)
    other = await ask(entrance, "/v2/models/digits", Origin="https://evil.example", X_API_Key=KEY)
    assert b"Access-Control" not in other.head
    closed = await ask(Entrance(Named("rest")), "/v2", "OPTIONS", **page, Access_Control_Request_Method="POST")
    assert b"Access-Control" not in closed.head
