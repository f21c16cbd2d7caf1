"""One call as a whole."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.inference.toys import body, call, mail, replies, request, row, sent

from scurry.endpoint.call import Call, Message
from scurry.inference.lane_call import LaneCall
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import Bounced, Done, Load, ModelSpec, Requests, Unload

NOW = 5000


def test_requests_are_answered_by_the_registration_they_were_sent_to():
    """Messages of one identity are one work; those of another are another, however the call carries them."""
    old, new = ModelSpec(uri="u", identity="old"), ModelSpec(uri="u", identity="new")
    read = LaneCall(
        call(
            sent(request(0, b"a"), spec=old),
            sent(request(1, b"b"), spec=new),
            sent(request(2, b"c"), spec=old),
            sent(spec=new),
        )
    )
    assert [([each.id for each in work.requests], work.spec.identity) for work in read.works] == [
        (["r0", "r2"], "old"),
        (["r1"], "new"),
    ]
    assert (read.key, str(read.address), read.requests, read.solo) == (("m", "1"), "m@1/0", 3, False)


def test_what_is_sent_back_gets_no_answer():
    """The router hears of it as of a lost batch that nobody had begun; the rest is answered."""
    read = LaneCall(call(sent(request(0, b"")), sent(request(1, b""), spec=ModelSpec(identity="i")), key="m@1/3"))
    read.sequence = 9
    read.send_back(read.works[0], "It was unloaded.")
    read.fail(Failed("internal", "no"))
    read.finish(NOW)
    ((function, key, bounced),) = mail(read.call, Bounced)
    back = Requests.FromString(bounced.message)
    assert (function, key, bounced.address, bounced.typename) == ("scurry/router", "m", "m@1/3", "scurry.v1/Requests")
    assert (bounced.cause, bounced.executing, bounced.alone) == ("It was unloaded.", False, False)
    assert ([each.id for each in back.requests], back.sequence, back.version) == (["r0"], 9, "1")
    assert [reply.id for reply in replies(read.call)] == ["r1"]


def test_a_solo_that_is_sent_back_is_not_reported_as_done():
    """The router counts it once."""
    read = LaneCall(call(sent(request(0, b""), report=True, solo=True), key="m@1/solo/t"))
    read.send_back(read.works[0], "")
    read.finish(NOW)
    assert (mail(read.call, Done), len(mail(read.call, Bounced))) == ([], 1)


def test_loads_and_unloads_are_set_apart():
    """Changes to models are no requests."""
    read = LaneCall(call(Load(model="m", version="1"), Unload(model="m", version="1"), sent(request(0, b""))))
    assert [type(each) for each in read.changes] == [Load, Unload]
    assert read.requests == 1


def test_done_comes_once_with_the_largest_sequence():
    """However many messages asked, the router hears one report."""
    first, second, third = sent(request(0, b""), report=True), sent(request(1, b"")), sent(report=True)
    first.sequence, second.sequence, third.sequence = 10, 12, 11
    read = LaneCall(call(first, second, third, key="m@2/5"))
    read.fail(Failed("internal", "no"))
    read.busy = 0.0015
    read.finish(NOW)
    ((function, key, done),) = mail(read.call, Done)
    assert (function, key, done.version, done.lane, done.sequence) == ("scurry/router", "m", "2", 5, 12)
    assert (done.busy_micros, done.requests, dict(done.answered[0].errors)) == (1500, 2, {"internal": 2})
    assert [reply.error for reply in replies(read.call)] == ["internal", "internal"]


def test_nobody_asked_nobody_is_told():
    """Without report there is no Done, without requests no reply."""
    read = LaneCall(call(sent()))
    read.finish(NOW)
    assert read.call.response.invocation_result.ByteSize() == 0


def test_failing_spares_what_is_answered():
    """A late fault fails only who has no answer."""
    read = LaneCall(call(sent(request(0, body(x=row(1, 2))), request(1, b""))))
    read.fail(Failed("internal", "first"))
    read.works[0].items[0].failure, read.works[0].items[0].body = None, b"answer"
    read.fail(Failed("internal", "second"))
    read.finish(NOW)
    assert [(reply.body, reply.message) for reply in replies(read.call)] == [(b"answer", ""), (b"", "first")]


def test_solo_is_said_by_the_address_or_the_message():
    """Either is enough to run alone."""
    assert LaneCall(call(sent(request(0, b"")), key="m@1/solo/abc")).solo
    assert LaneCall(call(sent(request(0, b""), solo=True))).solo


def test_messages_that_make_no_sense_are_left_out(caplog):
    """What cannot be read cannot be answered; it is logged, and the rest is."""
    broken = Message("scurry.v1/Requests", b"\xff\xff", None)
    strange = Message("scurry.v1/Weather", b"", None)
    good = call(sent(request(0, b""))).messages[0]
    with caplog.at_level(logging.ERROR):
        read = LaneCall(Call("scurry/inference", "m@1/0", [broken, strange, good]))
    assert [each.id for each in read.works[0].requests] == ["r0"]
    assert len(caplog.records) == 2
    assert repr(read) == "<LaneCall m@1/0: 1 requests, 0 changes>"


@pytest.mark.parametrize("key", ["", "m", "m@1", "m@1/x", "@/0", "m@1/load/x"])
def test_a_key_that_is_no_address_is_answered(key):
    """Requests that came to nowhere get an answer and nothing is opened for them."""
    read = LaneCall(call(sent(request(0, b""), report=True), Load(model="m", version="1"), key=key))
    assert (read.changes, read.address) == ([], None)
    read.finish(NOW)
    assert [(each.id, each.error) for each in replies(read.call)] == [("r0", "internal")]


@given(messages=st.lists(st.tuples(st.sampled_from(["Requests", "Load", "Unload", "Odd"]), st.binary(max_size=60))))
def test_no_message_blocks_an_address(messages):
    """Whatever comes is read, or dropped with a line in the log, and the good one behind it is there."""
    strange = [Message(f"scurry.v1/{typename}", value, None) for typename, value in messages]
    good = call(sent(request(0, b""))).messages[0]
    logging.disable()
    try:
        read = LaneCall(Call("scurry/inference", "m@1/0", [*strange, good]))
    finally:
        logging.disable(logging.NOTSET)
    assert read.works[-1].requests[-1].id == "r0"
    read.fail(Failed("internal", "no"))
    read.finish(NOW)
    assert len(replies(read.call)) == read.requests
