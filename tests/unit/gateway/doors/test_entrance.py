"""Which door a request is shown to."""

from __future__ import annotations

import pytest

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
