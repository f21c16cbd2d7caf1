"""One turn of one function: what it reads and what it answers."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError

from scurry.endpoint.call import Call, Message, State
from scurry.endpoint.reqreply_pb2 import FromFunction, ToFunction

STATE = State("count", "scurry.v1/Count")


def to_function(states: dict[str, bytes | None], *messages: Message) -> bytes:
    """A serialised batch for scurry/router, key `m`."""
    out = ToFunction()
    batch = out.invocation
    batch.target.namespace, batch.target.type, batch.target.id = "scurry", "router", "m"
    for name, value in states.items():
        kept = batch.state.add(state_name=name)
        if value is not None:
            kept.state_value.typename, kept.state_value.has_value, kept.state_value.value = "t/s", True, value
    for message in messages:
        item = batch.invocations.add()
        item.argument.typename, item.argument.has_value, item.argument.value = message.typename, True, message.value
        if message.caller:
            item.caller.namespace, _, item.caller.type = message.caller[0].partition("/")
            item.caller.id = message.caller[1]
    return out.SerializeToString()


def test_parse_reads_address_messages_callers_and_state() -> None:
    """All that StateFun sends is there under our names."""
    messages = [Message("a/b", b"1"), Message("a/c", b"", ("example/upper", "k"))]
    call = Call.parse(memoryview(to_function({"count": b"7"}, *messages)))
    assert (call.function, call.key, call.state) == ("scurry/router", "m", b"7")
    assert call.messages == messages


def test_parse_refuses_what_is_no_message() -> None:
    """Bytes that are no ToFunction raise protobuf's own error."""
    with pytest.raises(DecodeError):
        Call.parse(b"\xff\xff")


@pytest.mark.parametrize(
    ("states", "known", "value"),
    [
        ({}, False, None),
        ({"other": b"1"}, False, None),
        ({"count": None}, True, None),
        ({"count": b""}, True, b""),
        ({"other": b"1", "count": b"2"}, True, b"2"),
        ({"other": b"1", "count": None}, True, None),
    ],
)
def test_select_picks_the_state_by_its_name(states: dict[str, bytes | None], known: bool, value: bytes | None) -> None:
    """A state that did not travel is told from one without a value, and other states are not mistaken for it."""
    call = Call.parse(to_function(states))
    assert call.select(STATE) is known
    if known:
        assert call.state == value
    else:
        (missing,) = call.response.incomplete_invocation_context.missing_values
        assert (missing.state_name, missing.type_typename) == ("count", "scurry.v1/Count")
        assert missing.HasField("expiration_spec")
        assert not call.response.HasField("invocation_result")


def test_a_call_made_by_hand_needs_no_selection() -> None:
    """A harness hands over the state itself."""
    call = Call("f/f", "k", [], b"5")
    assert call.select(STATE)
    assert call.state == b"5"


def test_a_delay_is_never_below_nothing() -> None:
    """StateFun takes that for a defect of the job, which it restarts, to be told the same again."""
    call = Call("f/f", "k", [])
    call.send_after(-1, "scurry/router", "m", "t/b", b"")
    assert [each.delay_in_ms for each in call.response.invocation_result.delayed_invocations] == [0]


def test_an_idle_turn_still_answers() -> None:
    """A function that says nothing answers with an empty result, not with an empty message."""
    assert Call("f/f", "k", []).response.HasField("invocation_result")


def test_everything_said_reaches_the_response() -> None:
    """Messages, delayed messages, cancellations, egress values and state are where StateFun looks for them."""
    call = Call("f/f", "k", [])
    call.send("scurry/inference", "m@1/0", "t/a", b"1")
    call.send_after(250, "scurry/router", "m", "t/b", b"2", token="t")
    call.cancel("u")
    call.egress("scurry/replies", "t/c", b"3")
    call.keep(STATE, b"4")
    call.keep(STATE, None)
    result = FromFunction.FromString(call.response.SerializeToString()).invocation_result
    (sent,) = result.outgoing_messages
    assert (sent.target.namespace, sent.target.type, sent.target.id) == ("scurry", "inference", "m@1/0")
    assert (sent.argument.typename, sent.argument.has_value, sent.argument.value) == ("t/a", True, b"1")
    delayed, unsent = result.delayed_invocations
    assert (delayed.delay_in_ms, delayed.cancellation_token, delayed.argument.value) == (250, "t", b"2")
    assert (unsent.is_cancellation_request, unsent.cancellation_token) == (True, "u")
    (out,) = result.outgoing_egresses
    assert (out.egress_namespace, out.egress_type, out.argument.value) == ("scurry", "replies", b"3")
    modified, deleted = result.state_mutations
    assert (modified.mutation_type, modified.state_value.value) == (FromFunction.PersistedValueMutation.MODIFY, b"4")
    assert (deleted.mutation_type, deleted.state_name) == (FromFunction.PersistedValueMutation.DELETE, "count")


def test_repr_tells_address_and_size() -> None:
    """A call says whose it is and how much it carries."""
    assert repr(Call("f/f", "k", [Message("t/a", b"")])) == "<Call f/f 'k' 1 messages>"


def test_what_was_said_after_a_mark_is_unsaid() -> None:
    """Messages, delays, egresses and state alike; what was said before stands."""
    call = Call("scurry/router", "m", [])
    call.send("a/b", "1", "t", b"kept")
    mark = call.mark()
    call.send("a/b", "2", "t", b"")
    call.send_after(5, "a/b", "2", "t", b"")
    call.egress("a/e", "t", b"")
    call.keep(State("s", "t"), b"")
    call.undo(mark)
    result = call.response.invocation_result
    assert [message.argument.value for message in result.outgoing_messages] == [b"kept"]
    assert not (result.delayed_invocations or result.outgoing_egresses or result.state_mutations)
