"""Both JSON doors against bodies nobody would think of: 200 or a 4xx with a sentence, never anything else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.gateway.conftest import SPEC, FakeClient

from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.doors.entrance import Entrance, answered
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.tf_serving import PREFIXES, TensorFlowServing
from scurry.gateway.health import Health
from scurry.gateway.limits import Admission
from scurry.gateway.models import Models
from scurry.wire.tensors import DTYPES

DATATYPES = [*DTYPES, "BYTES"]
ONE_OF_EACH = [SPEC | {"name": name, "datatype": name, "shape": [-1, -1]} for name in DATATYPES]
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6)
    | st.sampled_from([2**63, -(2**63), 10**400, 1e308, -0.0, "NaN", "Infinity", {"b64": "AA=="}, {"b64": "?"}])
)  # fmt: skip
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner))
NAMES = st.sampled_from(["x", *DATATYPES, "", "é"]) | st.text(max_size=4)
VALUES = st.lists(st.lists(SCALARS, max_size=3), max_size=3) | st.lists(SCALARS, max_size=4) | JSON
NAMED = st.dictionaries(NAMES, VALUES, max_size=3)
PARAMETERS = st.dictionaries(
    st.sampled_from(["timeout", "priority", "sequence_id", "binary_data_output", "binary_data_size", "x"]), SCALARS
)
BESIDE = {"signature_name": st.sampled_from(["serving_default", "", "other"]) | JSON, "parameters": PARAMETERS | JSON}
PREDICT = st.fixed_dictionaries(
    {},
    optional={"instances": st.lists(NAMED, max_size=3) | VALUES, "inputs": NAMED | VALUES, "unknown": JSON, **BESIDE},
)
EXAMPLES = st.fixed_dictionaries(
    {"examples": st.lists(NAMED, max_size=3) | JSON}, optional={"context": NAMED | JSON, **BESIDE}
)
TENSORS = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "datatype": st.sampled_from(DATATYPES) | JSON,
        "shape": st.lists(st.integers(-1, 3) | st.sampled_from([2**62, 2**63, True, 1.0]), max_size=3) | JSON,
        "data": VALUES,
        "parameters": PARAMETERS | JSON,
    },
)
INFER = st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS, max_size=3) | JSON},
    optional={"outputs": st.lists(TENSORS, max_size=2) | JSON, "parameters": PARAMETERS | JSON, "id": JSON},
)
SIZES = st.integers(-1, 20) | st.sampled_from([2**31, 2**63, 2**70])
RAW = st.fixed_dictionaries(
    {
        "name": st.just("x"),
        "datatype": st.sampled_from(DATATYPES),
        "shape": st.lists(st.integers(-1, 5), max_size=3),
        "parameters": st.fixed_dictionaries({"binary_data_size": SIZES}),
    }
)
INDEX = st.fixed_dictionaries({}, optional={"limit": JSON, "after": JSON, "ready": JSON})
TARGETS: dict[str, st.SearchStrategy[Any]] = {
    "/v1/models/m:predict": PREDICT,
    "/v1/models/each:predict": PREDICT,
    "/v1/models/unsaid:predict": PREDICT,
    "/v1/models/each:classify": EXAMPLES,
    "/v1/models/unsaid:regress": EXAMPLES,
    "/v2/models/m/infer": INFER,
    "/v2/repository/index": INDEX,
}
GOOD = {
    "/v1": ("/v1/models/m:predict", b'{"instances": [[1, 2]]}'),
    "/v2": ("/v2/models/m/infer", b'{"inputs": [{"name": "x", "shape": [1], "datatype": "INT8", "data": [1]}]}'),
}


class Doors:
    """Both doors behind one entrance, asked from outside of an event loop."""

    def __init__(self, runner: asyncio.Runner) -> None:
        client = FakeClient()
        one = {"version": "1", "state": "ready"}
        client.records["each"] = {"versions": [one | {"signature": {"inputs": ONE_OF_EACH}}]}
        client.records["unsaid"] = {"versions": [one]}
        models, ask = Models(client), Ask(client, max_in_flight=2, timeout_s=30.0)
        admin = Admin(client, key="", host="127.0.0.1")
        doors = dict.fromkeys(PREFIXES, TensorFlowServing(ask, models))
        self._door = Entrance(OpenInferenceHttp(ask, models, Health(client), admin), doors)
        self._admission = Admission(64 * 1024 * 1024)
        self._runner = runner

    def post(self, target: str, body: bytes, **headers: str) -> int:
        """The status of the response, which is held to what holds for every response."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def ask() -> Any:
            with self._admission.room() as room:
                return await answered(self._door, Head("POST", target, named, len(body), True), body, room)

        reply = self._runner.run(ask())
        assert reply.status == 200 or 400 <= reply.status < 500, reply.parts
        assert repr(self._admission).startswith("<Admission 0 of")
        if reply.status != 200:
            told = json.loads(b"".join(reply.parts))
            assert sorted(told) == ["code", "error"]
            assert 0 < len(told["error"]) < 1100
            assert told["error"][-1] == "."
            assert not any(word in told["error"] for word in ("Traceback", "scurry/", ".py", "Error("))
        return int(reply.status)

    def go_on(self, target: str) -> None:
        """What is right is answered afterwards as before."""
        assert self.post(*GOOD[target[:3]]) == 200


@pytest.fixture(scope="module", name="doors")
def opened() -> Iterator[Doors]:
    """The doors, in a loop of their own."""
    with asyncio.Runner() as runner:
        yield Doors(runner)


def dumped(document: Any) -> bytes:
    """As JSON, whatever it holds: NaN, numbers beyond 64 bits, halves of characters."""
    return json.dumps(document, allow_nan=True).encode(errors="surrogatepass")


@settings(max_examples=300, deadline=None)
@given(data=st.data(), target=st.sampled_from(sorted(TARGETS)))
def test_documents_of_any_kind(doors: Doors, data: st.DataObject, target: str) -> None:
    """Right in form, wrong in everything else."""
    doors.post(target, dumped(data.draw(TARGETS[target])))
    doors.go_on(target)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), target=st.sampled_from(sorted(TARGETS)), at=st.integers(0, 200), junk=st.binary(max_size=6))
def test_bytes_of_any_kind(doors: Doors, data: st.DataObject, target: str, at: int, junk: bytes) -> None:
    """Cut off, or with something in the middle."""
    body = dumped(data.draw(TARGETS[target]))
    doors.post(target, body[:at])
    doors.post(target, body[:at] + junk + body[at:])


@settings(max_examples=60, deadline=None)
@given(header=st.none() | st.text(max_size=8) | st.integers(-5, 300).map(str), tail=st.binary(max_size=20), one=RAW)
def test_raw_tensors_of_any_size(doors: Doors, header: str | None, tail: bytes, one: dict[str, Any]) -> None:
    """The header, the sizes, the shape and the bytes need not fit."""
    json_part = dumped({"inputs": [one]})
    sent = str(len(json_part)) if header is None else header
    doors.post("/v2/models/m/infer", json_part + tail, Inference_Header_Content_Length=sent)
    doors.go_on("/v2/models/m/infer")


def nested(depth: int) -> bytes:
    """Brackets within brackets."""
    return b"[" * depth + b"1" + b"]" * depth


@pytest.mark.parametrize(
    ("key", "target"),
    [(b'"instances"', "/v1/models/m:predict"), (b'"inputs"', "/v1/models/unsaid:predict"),
     (b'"examples"', "/v1/models/each:classify"), (b'"parameters"', "/v1/models/m:predict"),
     (b'"inputs"', "/v2/models/m/infer"), (b'"limit"', "/v2/repository/index")],
)  # fmt: skip
@pytest.mark.parametrize(
    "value",
    [b"", b"nul", b"[1,]", b"01", b"1e999", b"-", b'"\xff"', b'"\\ud800"', b"[NaN, Infinity", b"\x00",
     nested(33), nested(2000), nested(200_000), b'{"a":' * 5000, b"[" * 1_000_000, b'"' + b"n" * 500_000,
     b"9" * 100_000],
)  # fmt: skip
def test_values_that_no_field_can_have(doors: Doors, key: bytes, target: str, value: bytes) -> None:
    """In any place, with or without a word that strict JSON does not know."""
    for body in (b"{%b: %b}" % (key, value), b'{%b: [{"x": %b}]}' % (key, value), b'{%b: %b, "n": NaN}' % (key, value)):
        assert 400 <= doors.post(target, body) < 500
    doors.go_on(target)


@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize("body", [b"", b" ", b"[]", b"null", b"3", b'"x"', b"\xef\xbb\xbf{}", b"{}{}", b"{'a': 1}"])
def test_bodies_that_are_no_object(doors: Doors, target: str, body: bytes) -> None:
    """An index may be asked for with nothing; everything else is refused."""
    assert (doors.post(target, body) == 200) == (target == "/v2/repository/index" and body == b"")


def test_a_key_that_comes_twice(doors: Doors) -> None:
    """The last one counts, as in every JSON parser of these servers: the rest must still fit."""
    assert doors.post("/v1/models/m:predict", b'{"instances": 3, "instances": [[1, 2]]}') == 200
    assert doors.post("/v1/models/m:predict", b'{"instances": [[1, 2]], "instances": 3}') == 400
    tensor = b'{"name": "x", "shape": [9], "shape": [1], "datatype": "INT8", "data": [1]}'
    assert doors.post("/v2/models/m/infer", b'{"inputs": [%b]}' % tensor) == 200
