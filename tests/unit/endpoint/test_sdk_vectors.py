"""Our protocol code against exchanges that the official SDK's own handler has recorded (record_sdk.py)."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scurry.endpoint.call import Call, Message, State
from scurry.endpoint.reqreply_pb2 import FromFunction, ToFunction

ROOT = Path(__file__).resolve().parents[3]
RAW = "scurry.v1/Raw"
STATE = State("router", RAW)
RECORDED = {one["case"]: one for one in json.loads(Path(__file__).with_name("sdk_exchanges.json").read_text())}
Action = Callable[[Call, Message], None]


def send(call: Call, message: Message) -> None:
    """One message, to the lane of a model."""
    call.send("scurry/inference", "digits@2/0", RAW, b"\x00\x01")


def reply(call: Call, message: Message) -> None:
    """One message back to the caller."""
    assert message.caller is not None
    call.send(*message.caller, RAW, b"answer")


def later(call: Call, message: Message) -> None:
    """A delayed message with a token, one without, and the first one cancelled."""
    call.send_after(250, "scurry/router", "digits", RAW, b"again", token="retry-1")
    call.send_after(2000, "scurry/router", "digits", RAW, b"again")
    call.cancel("retry-1")


def egress(call: Call, message: Message) -> None:
    """Two values for the egress."""
    for value in (b"first", b""):
        call.egress("scurry/replies", "scurry.v1/Replies", value)


ACTIONS: dict[str, Action] = {"send": send, "reply": reply, "later": later, "egress": egress}


def play(call: Call) -> bytes:
    """What record_sdk.py does with the SDK, done with ours."""
    if not call.select(STATE):
        return call.response.SerializeToString()
    kept = call.state or b""
    for message in call.messages:
        word = message.value.decode()
        if word in ACTIONS:
            ACTIONS[word](call, message)
        else:
            kept = b"" if word == "forget" else kept + message.value
    if kept != (call.state or b""):
        call.keep(STATE, kept or None)
    return call.response.SerializeToString()


@pytest.mark.parametrize("case", RECORDED)
def test_same_answer(case: str) -> None:
    """For the same call we answer byte for byte what the SDK answers."""
    recorded = RECORDED[case]
    answer = play(Call.parse(bytes.fromhex(recorded["to_function"])))
    assert answer == bytes.fromhex(recorded["from_function"])


@pytest.mark.parametrize("case", RECORDED)
def test_nothing_lost(case: str) -> None:
    """Our copy of the protocol knows every field that the SDK writes."""
    for cls, field in ((ToFunction, "to_function"), (FromFunction, "from_function")):
        recorded = bytes.fromhex(RECORDED[case][field])
        message = cls.FromString(recorded)
        message.DiscardUnknownFields()
        assert message.SerializeToString(deterministic=True) == recorded


def test_batch_is_read() -> None:
    """A recorded batch gives its key, its messages with their callers, and its state."""
    call = Call.parse(bytes.fromhex(RECORDED["a batch with everything"]["to_function"]))
    assert call.select(STATE)
    assert (call.function, call.key, call.state) == ("scurry/router", "modèle", b"x")
    assert [message.value for message in call.messages] == [b"send", b"egress", b"later", b"four"]
    assert {message.caller for message in call.messages} == {("scurry/inference", "digits@2/0")}


def test_no_caller() -> None:
    """A message from the ingress has no caller."""
    call = Call.parse(bytes.fromhex(RECORDED["a first state"]["to_function"]))
    assert [message.caller for message in call.messages] == [None]


def test_description_for_user_functions() -> None:
    """The example's scurry.desc says of our messages what protos/ says; describe.py writes it anew."""
    spec = importlib.util.spec_from_file_location("describe", ROOT / "examples" / "sdk_function" / "describe.py")
    assert spec
    assert spec.loader
    describe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(describe)
    assert describe.FILE.read_bytes() == describe.described(), "run: .venv/bin/python examples/sdk_function/describe.py"
