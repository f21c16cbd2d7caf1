"""Requests that are answered together get what each would get alone."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.inference.toys import Toy, sent_for

from scurry.inference.answers import write_bodies
from scurry.inference.batch import batches, run, same_rows
from scurry.inference.items import claim
from scurry.inference.layouts import LayoutCache
from scurry.runtimes.port import Port
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import ENCODING_INPUTS, ENCODING_REQUEST, Request
from scurry.wire.names import Keys
from scurry.wire.tensors import DTYPES, to_tensor

WORDS = ("", "a", "é", "four", "\0")


def picky(x: Any) -> list[Any]:
    """Refuses the number 13, in whatever row."""
    if (x == 13).any():
        raise ValueError("not thirteen")
    return [x + x, x]


def full(x: Any) -> list[Any]:
    """Refuses to be asked for nothing."""
    if not len(x):
        raise ValueError("no rows")
    return [x]


def numbers(datatype: str, *tail: int) -> tuple[Port, ...]:
    """One input or output of numbers."""
    return (Port("x", datatype, (-1, *tail)),)


def model(kind: str, datatype: str) -> Toy:
    """A model whose rows are independent of each other."""
    x = numbers(datatype, 2)
    match kind:
        case "free":
            return Toy(lambda x: [x], numbers(datatype, -1), numbers(datatype, -1))
        case "picky":
            return Toy(picky, x, (*x, Port("y", datatype, (-1, 2))))
        case "full":
            return Toy(full, x, x)
        case "texts":
            text = Port("t", "BYTES", (-1, 1))
            return Toy(lambda x, t: [t + t, x], (*x, text), (text, *x))
        case "vector":
            return Toy(lambda x: [x], numbers(datatype), numbers(datatype))
    return Toy(lambda x: [x], x, x, limit=0)


KINDS = ("free", "picky", "full", "texts", "vector", "single")


@st.composite
def bodies(draw: st.DrawFn, datatype: str) -> tuple[int, bytes]:
    """The body of a request that may be right, odd or wrong."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([ENCODING_REQUEST, ENCODING_INPUTS])), draw(st.binary(max_size=40))
    rows, rank = draw(st.sampled_from([0, 1, 1, 1, 2, 3, 4, 5, 9])), draw(st.sampled_from([1, 2, 2, 2, 3]))
    shape = (rows, draw(st.sampled_from([0, 1, 2, 2, 2, 3])), 1)[:rank]
    other = draw(st.sampled_from([datatype] * 8 + ["FP64", "INT8"]))
    values = draw(st.lists(st.integers(0, 15), min_size=4, max_size=4))
    array = np.resize(np.array(values), shape).astype(DTYPES[other])
    asked = InferRequest(inputs=[to_tensor("x", array)])
    if draw(st.booleans()):
        texts = np.resize(np.array(draw(st.lists(st.sampled_from(WORDS), min_size=3, max_size=3)), object), (rows, 1))
        asked.inputs.append(to_tensor("t", texts))
    if draw(st.integers(0, 5)) == 0:
        asked.outputs.extend(draw(st.lists(st.sampled_from(["x", "y", "t", "no"]), max_size=3)))
    if draw(st.integers(0, 7)) == 0:
        asked.inputs[0].data = asked.inputs[0].data[1:]
    if draw(st.integers(0, 3)) == 0:
        return ENCODING_INPUTS, as_json(asked, array)
    return ENCODING_REQUEST, asked.SerializeToString()


def as_json(asked: InferRequest, array: Any) -> bytes:
    """The same as an Open Inference Protocol body; nested, so that it may be ragged where rows are none."""
    said = {"name": "x", "datatype": asked.inputs[0].datatype, "shape": list(array.shape), "data": array.tolist()}
    return json.dumps({"inputs": [said], "outputs": [{"name": each} for each in asked.outputs]}).encode()


def answers(toy: Toy, requests: list[Request]) -> list[Any]:
    """Code, body and parked payloads for each request, when they come in one call."""
    layouts = LayoutCache(toy)
    items = claim(requests, layouts)
    for batch in batches(items, LayoutCache(toy).sizes, batched=toy.batched, alike=same_rows(items)):
        run(toy, layouts, batch)
    parked = dict(write_bodies(items, layouts, Keys("ns"), "1", "tok"))
    replies = sent_for(items, "1")
    return [(each.error, each.body, [bytes(parked[key]) for key in each.parked]) for each in replies]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), datatype=st.sampled_from(["FP32", "INT64", "UINT8", "FP16"]))
@settings(max_examples=120, deadline=None)
def test_an_answer_does_not_depend_on_who_is_asked_along(kind, data, datatype):
    """Whatever shapes, rows, texts and mistakes meet in one call, each gets what it gets alone."""
    asked = data.draw(st.lists(bodies(datatype), min_size=1, max_size=7))
    requests = [
        Request(id=f"r{at}", entry=f"s/{at}", model="m", encoding=encoding, body=body)
        for at, (encoding, body) in enumerate(asked)
    ]
    together = answers(model(kind, datatype), requests)
    alone = [answers(model(kind, datatype), [request])[0] for request in requests]
    assert together == alone


def test_a_request_without_rows_that_comes_first_harms_nobody():
    """What was seen: it failed every other request of its call."""
    requests = [
        Request(id=f"r{at}", body=InferRequest(inputs=[to_tensor("x", array)]).SerializeToString())
        for at, array in enumerate((np.zeros((0, 2), np.float32), np.ones((1, 2), np.float32)))
    ]
    assert [code for code, _, _ in answers(Toy(), requests)] == ["", ""]
