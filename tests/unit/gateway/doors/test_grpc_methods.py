"""Methods of a gRPC service, over a line without a socket."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.unit.gateway.doors.line import Line

from scurry.gateway.access import Access, Caller
from scurry.gateway.doors.grpc_call import GrpcCall
from scurry.gateway.doors.grpc_methods import GrpcMethods
from scurry.gateway.doors.scopes import NOBODYS, Needed
from scurry.protocols import front_end_pb2 as words
from scurry.wire.errors import error

KEY = "a-key-of-sixteen"


class Door(GrpcMethods):
    """Answers with what a call's message says, or as it says."""

    def __init__(self, access: Access | None = None) -> None:
        methods = {"Say": (words.PredictReq, self.say), "Ping": (words.Empty, self.ping)}
        super().__init__("/a.Service/", methods, self.needs, access or Access())
        self.callers: list[Caller] = []
        self.go_on = asyncio.Event()

    @staticmethod
    def needs(method: str, asked: Any) -> Needed:
        """A key for the model, but for a ping."""
        return Needed(NOBODYS) if method == "Ping" else Needed("infer", asked.model_name)

    async def say(self, asked: words.PredictReq, _: GrpcCall, caller: Caller) -> words.StringReply:
        """The message's text, unless that is something else."""
        self.callers.append(caller)
        if asked.input == "wait":
            await self.go_on.wait()
        if asked.input == "refuse":
            raise error("model_not_ready", "Not yet.")
        if asked.input == "break":
            raise ValueError("secret")
        return words.StringReply(message=asked.input)

    async def ping(self, *_: object) -> words.StringReply:
        """To everybody."""
        return words.StringReply(message="pong")

    def stream(self, _: GrpcCall) -> None:
        """There is none."""


def line_of(door: Door) -> Line:
    """A connection that has greeted."""
    line = Line(door)
    line.greet()
    return line


def said(text: str, model: str = "m") -> bytes:
    """A message."""
    return words.PredictReq(model_name=model, input=text).SerializeToString()


@pytest.mark.parametrize(
    ("method", "message", "status", "sentence"),
    [
        ("Say", said("hello"), "0", ""),
        ("Say", said("refuse"), "14", "Not yet."),
        ("Say", said("break"), "13", "its log tells why"),
        ("Say", b"\xff", "3", "The message is no PredictReq."),
        ("Sing", b"", "12", "'/a.Service/Sing': this port has a.Service."),
    ],
)
async def test_an_answer_or_a_status(method: str, message: bytes, status: str, sentence: str) -> None:
    """One for each call, and nobody is shown a stack trace."""
    reply = await line_of(Door()).call(f"/a.Service/{method}", message)
    assert (reply.status, sentence in reply.text, "secret" in reply.text) == (status, True, False)
    if status == "0":
        assert words.StringReply.FromString(reply.messages[0]).message == "hello"


async def test_a_callers_time_is_kept() -> None:
    """Whatever the method waits for."""
    reply = await line_of(Door()).call("/a.Service/Say", said("wait"), grpc_timeout="5m")
    assert reply.status == "4"


async def test_keys_their_models_and_how_many_are_in_flight(tmp_path: Path) -> None:
    """Who is refused is not asked; what is over does not count."""
    (tmp_path / "keys").write_text(f"ci {KEY} infer models=m max_in_flight=1\n")
    door = Door(Access(str(tmp_path / "keys")))
    line, key = line_of(door), {"authorization": f"Bearer {KEY}"}
    assert (await line.call("/a.Service/Ping", b"")).status == "0"
    assert (await line.call("/a.Service/Say", said("x"))).status == "16"
    assert (await line.call("/a.Service/Say", said("x", "n"), **key)).status == "7"
    assert door.callers == []
    stream = line.head("/a.Service/Say", **key)
    line.data(stream, said("wait"))
    await asyncio.sleep(0)
    assert (await line.call("/a.Service/Say", said("x"), **key)).status == "8"
    door.go_on.set()
    assert (await line.reply(stream)).status == "0"
    assert (await line.call("/a.Service/Say", said("break"), **key)).status == "13"
    assert (await line.call("/a.Service/Say", said("x"), **key)).status == "0"
    assert [one.name for one in door.callers] == ["ci", "ci", "ci"]
