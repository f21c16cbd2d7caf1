"""Whatever a registry message says: a sentence, and a record as it was."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.registry.course import Course, ready, update

from scurry.registry.steps import Answer, Audited
from scurry.registry.update import VERBS
from scurry.wire.errors import Failed, InvalidRequest, NotFound, Unavailable
from scurry.wire.messages_pb2 import Drained, Update

NAMES: Final = ("a/b", "a@b", "a:b", "a b", "a\nb", "a\0b", "-a", "é", "x" * 129)
CODES: Final = {code for kind in (InvalidRequest, NotFound, Unavailable, Failed) for code in kind.codes}


def a_model() -> Course:
    """Version 1 ready and aliased, 2 ready and live, 3 out of memory."""
    out = ready("1", "2", "3").on(update("alias", alias="stable", version="1"), update("promote", version="2"))
    return out.on(update("unload", version="3"), Drained(version="3", generation=3))


BAD: Final[list[tuple[str, dict[str, Any], str]]] = [
    *[("register", {"uri": "a.onnx", "version": name}, "bad_request") for name in NAMES],
    *[("alias", {"alias": name, "version": "1"}, "bad_request") for name in NAMES],
    *[("routes", {"aliases": {name: "1"}}, "bad_request") for name in NAMES],
    *[("policy", {"specific": [name]}, "bad_request") for name in NAMES],
    *[(verb, {"version": name}, "version_not_found") for name in NAMES
      for verb in ("promote", "load", "unload", "pin")],
    *[(verb, {"weights": {"1": weight}}, "bad_request") for weight in (-1, 0, 1.5, True, None, "1", 2**31)
      for verb in ("split", "routes")],
    ("split", {"weights": {"1": 0, "2": 0}}, "bad_request"),
    ("split", {"weights": {"9": 1}}, "version_not_found"),
    ("split", {"weights": {"3": 1}}, "model_not_ready"),
    ("alias", {"alias": "gone", "version": "9"}, "version_not_found"),
    ("alias", {"alias": "2", "version": "1"}, "bad_request"),
    ("routes", {"aliases": {"gone": "9"}}, "version_not_found"),
    ("promote", {"version": "3"}, "model_not_ready"),
    ("unregister", {"version": "2"}, "not_allowed"),
    ("unregister", {"version": "1"}, "not_allowed"),
    ("unregister", {"version": "9"}, "version_not_found"),
    ("unload", {"version": "2"}, "not_allowed"),
    ("pin", {"version": "1", "pinned": "yes"}, "bad_request"),
    ("policy", {"latest": 0}, "bad_request"),
    ("policy", {"latest": 1, "all": True}, "bad_request"),
    ("rollback", {"steps": 2}, "bad_request"),
    ("register", {"uri": "a.onnx", "config": {"version_policy": {"newest": 1}}}, "bad_request"),
    ("register", {"uri": "a.onnx", "config": {"pinned": 1}}, "bad_request"),
    ("register", {"uri": "a.onnx", "config": {"max_batch_size": -1}}, "bad_request"),
    ("register", {"uri": "a\nb"}, "bad_request"),
    ("register", {"uri": ""}, "bad_request"),
    ("register", {"uri": "a.onnx", "version": "stable"}, "bad_request"),
    ("register", {"uri": "a.onnx", "route": "no"}, "bad_request"),
    *[(verb, {"unheard": 1}, "bad_request") for verb in VERBS],
]  # fmt: skip


@pytest.mark.parametrize(("verb", "fields", "code"), BAD)
def test_bad_input_is_refused_with_a_code_and_a_sentence(verb: str, fields: dict[str, Any], code: str) -> None:
    """For every verb; the record is the very same."""
    refused(a_model(), update(verb, "u", **fields), {code})


def refused(out: Course, event: Update, codes: set[str]) -> None:
    """Nothing but one answer and one note."""
    before = out.record
    out.on(event)
    assert out.record is before
    (answer,) = out.of(Answer)
    assert isinstance(answer, Answer)
    assert answer.code in codes, answer.message
    assert answer.message.endswith((".", "force."))
    assert len(answer.message) < 1000
    assert len(out.of(Audited)) == 1
    assert len(out.effects) == 2


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([*VERBS, "1", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9) | st.sampled_from(VERBS), inner),
    max_leaves=8,
)
FIELDS = ("version", "uri", "runtime", "config", "route", "force", "alias", "weights", "aliases", "automatic", "routed",
          "pinned", "latest", "all", "specific")  # fmt: skip
ALMOST = st.builds(
    lambda verb, fields: {verb: fields},
    st.sampled_from(VERBS),
    st.dictionaries(st.sampled_from(FIELDS), JSON | st.sampled_from(["1", "2", "3", "stable"]), max_size=4),
)


@settings(max_examples=400, deadline=None)
@given(JSON | ALMOST)
@example({"register": {"uri": "a", "config": "[" * 5000}})
@example({"alias": {"alias": "\ud800", "version": "1"}})
@example({"split": {"weights": {"\ud800": 1}}})
@example({"routes": {"aliases": {"a": 10**30}}})
@example([])
@example("x")
def test_any_json_is_applied_or_refused(value: Any) -> None:
    """Never an exception; what is refused leaves the record alone, and is told in a sentence with a known code."""
    text = json.dumps(value)
    out = a_model()
    before = out.record
    out.on(Update(model="m", id="u", json=text))
    codes = [code for _, code in out.answers]
    if out.outcome not in {"applied", "unchanged"}:
        assert codes == [out.outcome]
        refused(a_model(), Update(model="m", id="u", json=text), CODES)
        assert out.record is before


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_refused_unless_it_is_a_message(text: str) -> None:
    """What is no JSON, or another kind of value."""
    out = a_model().on(Update(model="m", id="u", json=text))
    assert out.outcome == "bad_request"


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_applied(value: bytes) -> None:
    """The protobuf form may be filled with anything as well."""
    event = Update()
    try:
        event.ParseFromString(value)
    except Exception:
        return
    event.model, event.id = "m", "u"
    assert a_model().on(event).outcome in {"applied", "unchanged", *CODES}
