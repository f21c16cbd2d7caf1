"""Steps on their way to their sequences."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.router.asking import Outcome, requests, route, routed, serve

from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import ENCODING_INPUTS, Done, ModelSpec, Requests, RouterState
from scurry.wire.names import INFERENCE
from scurry.wire.sequences import STEPS


def body(sequence: int | str, *, start: bool = False, end: bool = False) -> bytes:
    """An InferRequest that says so."""
    request = InferRequest()
    parameter = request.parameters["sequence_id"]
    if isinstance(sequence, str):
        parameter.string_value = sequence
    else:
        parameter.int_value = sequence
    request.parameters["sequence_start"].bool_value = start
    request.parameters["sequence_end"].bool_value = end
    return request.SerializeToString()


def step(name: str, sequence: int | str = 7, *, start: bool = False, **fields: Any) -> Requests:
    """One step."""
    made = requests(name, **fields)
    made.requests[0].body = body(sequence, start=start)
    return made


def sent(out: Outcome) -> list[tuple[str, str]]:
    """Address and id of each step that left."""
    return [(key, each.id) for to, key, value in out.sent if to == INFERENCE for each in value.requests]


def away(out: Outcome) -> int:
    """Steps outstanding."""
    return int(RouterState.FromString(out.state or b"").versions[0].away)


async def test_each_goes_to_the_address_of_its_sequence() -> None:
    """Stamped with what its parameters say, and with a report asked for."""
    state = await routed(route("1", sequences=True))
    text = json.dumps({"inputs": [], "parameters": {"sequence_id": 7, "sequence_end": True}}).encode()
    written = requests("c", encoding=ENCODING_INPUTS)
    written.requests[0].body = text
    out = await serve(state, step("a", start=True), step("b", "x y"), written)
    assert sent(out) == [("m@1/seq/7", "a"), ("m@1/seq/x y", "b"), ("m@1/seq/7", "c")]
    values = [value for to, _, value in out.sent if to == INFERENCE]
    assert all(value.report and value.version == "1" and value.spec.uri for value in values)
    stamps = [(r.sequence_id, r.sequence_start, r.sequence_end) for value in values for r in value.requests]
    assert stamps == [("7", True, False), ("x y", False, False), ("7", False, True)]
    assert away(out) == 3
    done = await serve(out.state, Done(version="1", lane=STEPS, requests=2, busy_micros=20))
    assert away(done) == 1
    assert RouterState.FromString(done.state or b"").versions[0].service_micros == 10
    assert away(await serve(out.state, Done(version="1", lane=STEPS, requests=-5))) == 3


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"body": InferRequest().SerializeToString()}, "'sequence_id' must say which"),
        ({"body": b"\xff"}, "cannot be read"),
        ({"body": b"{", "encoding": ENCODING_INPUTS}, "cannot be read"),
        ({"body": b"[1]", "encoding": ENCODING_INPUTS}, "'sequence_id' must say which"),
        ({"body": b'{"parameters": {"sequence_id": []}}', "encoding": ENCODING_INPUTS}, "whole number or text"),
        ({"body": b"", "payload": "k"}, "too large to be read"),
    ],
)
async def test_without_a_name_a_step_is_refused(fields: dict[str, Any], named: str) -> None:
    """With the parameter's."""
    nameless = requests("a")
    for name, value in fields.items():
        setattr(nameless.requests[0], name, value)
    out = await serve(await routed(route("1", sequences=True)), nameless)
    assert out.errors == {"a": "bad_request"}
    assert named in out.replies[0].message


async def test_where_there_is_no_room_no_sequence_is_begun() -> None:
    """Those that were begun go on, or a replay could miss a step of theirs."""
    state = await routed(route("1", sequences=True, max_queue_size=2))
    out = await serve(state, *[step(f"s{n}", n, start=True) for n in range(1, 5)])
    assert out.errors == {"s3": "overloaded", "s4": "overloaded"}
    out = await serve(out.state, step("t1", 1), step("t2", 2), step("s5", 5, start=True, bulk=True))
    assert (out.errors, away(out)) == ({}, 5)
    assert (await serve(out.state, step("s6", 6, start=True, replayed=True))).errors == {}


async def test_a_late_step_goes_all_the_same() -> None:
    """Whether it is late may be another thing in a replay."""
    out = await serve(await routed(route("1", sequences=True)), step("a", deadline=1))
    assert sent(out) == [("m@1/seq/7", "a")]
    out = await serve(await routed(route("1")), requests("a", deadline=1))
    assert out.errors == {"a": "deadline_exceeded"}


async def test_a_split_sends_all_steps_of_a_sequence_one_way() -> None:
    """By its id, whatever ids and keys the steps have."""
    state = await routed(route("1", 50, sequences=True), route("2", 50, sequences=True))
    ways = []
    for sequence in range(1, 21):
        out = await serve(state, *[step(f"s{sequence}-{at}", sequence, key=f"k{at}") for at in range(5)])
        (way,) = {key for key, _ in sent(out)}
        ways.append(way.partition("/")[0])
    assert set(ways) == {"m@1", "m@2"}


async def test_models_without_sequences_pay_nothing() -> None:
    """Their requests go on as the bytes they came in, parameters or not."""
    state = await routed(route("1", spec=ModelSpec(uri="u")))
    out = await serve(state, step("a"))
    assert sent(out) == [("m@1/0", "a")]
    (value,) = (value for to, _, value in out.sent if to == INFERENCE)
    assert not value.requests[0].sequence_id
