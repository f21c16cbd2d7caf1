"""ModelStreamInfer: requests in one stream, answers as they come."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.gateway.doors.line import Line, door_of
from tests.unit.gateway.doors.test_grpc_inference import asked

from scurry.protocols import http2
from scurry.protocols.oip_pb2 import ModelStreamInferResponse


@pytest.fixture
async def line(client) -> Line:
    """A connection to the door that has greeted."""
    line = Line(door_of(client, max_in_flight=50))
    line.greet()
    return line


async def answers(line: Line, stream: int, count: int) -> list[ModelStreamInferResponse]:
    """The first so many."""
    async with asyncio.timeout(5):
        while len(line.messages(stream)) < count:
            line.look()
            await asyncio.sleep(0)
    return [ModelStreamInferResponse.FromString(one) for one in line.messages(stream)]


async def test_each_request_gets_an_answer_while_the_stream_is_open(line):
    """Each says that it is the last to its request."""
    stream = line.head("ModelStreamInfer")
    for number in range(3):
        line.data(stream, asked(number, id=str(number)).SerializeToString(), last=False)
    got = await answers(line, stream, 3)
    assert sorted(one.infer_response.id for one in got) == ["0", "1", "2"]
    assert all(one.infer_response.parameters["triton_final_response"].bool_param for one in got)
    assert stream not in line.ended
    line.data(stream, b"", framed=False)
    reply = await line.reply(stream)
    assert (reply.status, len(reply.messages)) == ("0", 3)


async def test_what_fails_is_told_in_the_stream(line):
    """With the request's id; the stream goes on."""
    stream = line.head("ModelStreamInfer")
    line.data(stream, asked(1.0, model="nobody", id="bad").SerializeToString(), last=False)
    line.data(stream, b"\xff", last=False)
    got = await answers(line, stream, 2)
    assert {one.infer_response.id for one in got} == {"bad", ""}
    assert all(one.error_message for one in got)
    line.data(stream, asked(1.0, id="good").SerializeToString())
    reply = await line.reply(stream)
    assert ModelStreamInferResponse.FromString(reply.messages[2]).infer_response.id == "good"
    assert reply.status == "0"


async def test_the_wish_for_a_final_flag_does_not_reach_the_model(line, client):
    """The parameters of a sequence do."""
    stream = line.head("ModelStreamInfer")
    request = asked(1.0)
    request.parameters["triton_enable_empty_final_response"].bool_param = True
    request.parameters["sequence_start"].bool_param = True
    line.data(stream, request.SerializeToString())
    await line.reply(stream)
    assert list(client.asked[-1][1].parameters) == ["sequence_start"]


async def test_a_stream_without_requests_ends_well(line):
    """With nothing but its status."""
    stream = line.head("ModelStreamInfer", flags=http2.END_HEADERS | http2.END_STREAM)
    assert await line.reply(stream) == ("0", "", [])


async def test_a_gateway_that_stops_ends_its_streams(line):
    """Behind what was asked."""
    stream = line.head("ModelStreamInfer")
    line.data(stream, asked(1.0).SerializeToString(), last=False)
    line.connection.leave()
    line.data(stream, asked(2.0, id="late").SerializeToString(), last=False)
    reply = await line.reply(stream)
    assert reply.status == "0"
    told = [ModelStreamInferResponse.FromString(one) for one in reply.messages]
    assert sum(not one.error_message for one in told) == 1


async def test_memory_is_given_back_with_each_answer(line):
    """And with those that nobody waits for any more."""
    stream = line.head("ModelStreamInfer")
    line.data(stream, asked(*range(1000)).SerializeToString(), last=False)
    assert "<Admission 0 " not in repr(line.admission)
    await answers(line, stream, 1)
    assert "<Admission 0 " in repr(line.admission)
    line.data(stream, asked(*range(1000)).SerializeToString(), last=False)
    line.send(http2.number(http2.RST_STREAM, stream, http2.CANCEL))
    for _ in range(20):
        await asyncio.sleep(0)
    assert "<Admission 0 " in repr(line.admission)


async def test_each_request_of_a_stream_is_counted(line):
    """With what it came to; the stream itself, which may be open for days, is not."""
    stream = line.head("ModelStreamInfer")
    good, bad = asked(1.0).SerializeToString(), asked(1.0, model="nobody").SerializeToString()
    line.data(stream, good, last=False)
    line.data(stream, bad, last=False)
    await answers(line, stream, 2)
    line.data(stream, b"", framed=False)
    await line.reply(stream)
    first, second = sorted(line.noted, key=lambda one: one.model)
    assert (*first[1:3], first.received, first.model) == ("OK", "ok", len(good), "m")
    assert first.sent == len(line.messages(stream)[0])
    assert first.request
    assert (*second[1:3], second.received, second.model) == ("NOT_FOUND", "model_not_found", len(bad), "nobody")


async def test_requests_of_a_stream_that_is_broken_off_are_counted_as_given_up(line):
    """Each once, when it is done with."""
    stream = line.head("ModelStreamInfer")
    for _ in range(2):
        line.data(stream, asked(1.0).SerializeToString(), last=False)
    line.send(http2.number(http2.RST_STREAM, stream, http2.CANCEL))
    for _ in range(20):
        await asyncio.sleep(0)
    assert [(*one[1:3], one.sent) for one in line.noted] == [("CANCELLED", "cancelled", 0)] * 2


@pytest.mark.parametrize("name", ["idempotency_key", "prefer", "scurry_callback"])
async def test_a_stream_has_no_wishes_granted(line, name):
    """It is told so, not passed over."""
    reply = await line.reply(line.head("ModelStreamInfer", **{name: "x"}))
    assert (reply.status, reply.messages) == ("12", [])
    assert name.replace("_", "-") in reply.text
    assert line.noted[0].code == "not_offered"
