"""Errors and their codes."""

from __future__ import annotations

import inspect
import pickle
import re
from pathlib import Path

import pytest

from scurry.wire import errors
from scurry.wire.errors import Failed, InvalidRequest, NotFound, ScurryError, Unavailable, error

ROOT = Path(__file__).resolve().parents[3]
KINDS = [InvalidRequest, NotFound, Unavailable, Failed]


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_makes_its_own_kind(kind: type[ScurryError]) -> None:
    """What crossed the wire as a code is caught as what it was raised as."""
    for code in kind.codes:
        failure = error(code, "A sentence.")
        assert type(failure) is kind
        assert (failure.code, failure.message, str(failure)) == (code, "A sentence.", f"{code}: A sentence.")


def test_no_code_is_of_two_kinds() -> None:
    """The kind says who has to act, so it must be one."""
    codes = [code for kind in KINDS for code in kind.codes]
    assert len(codes) == len(set(codes))


def test_the_drawing_has_every_code() -> None:
    """The tree in the docstring is the tree in the code."""
    drawn = set(re.findall(r"\b[a-z]+_[a-z_]+|overloaded|unavailable|internal", inspect.getdoc(errors) or ""))
    assert drawn == {code for kind in KINDS for code in kind.codes}


def test_a_code_of_a_newer_version_is_a_failure() -> None:
    """Nobody is told to change a request that may be right."""
    failure = error("made_up", "From the future.")
    assert type(failure) is Failed
    assert repr(failure) == "<Failed made_up: From the future.>"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_crosses_processes(kind: type[ScurryError]) -> None:
    """As pools of processes send it."""
    failure = kind("internal", "A sentence.")
    failure.retry_after = 2.0
    copy = pickle.loads(pickle.dumps(failure))
    assert type(copy) is kind
    assert (copy.code, copy.message, str(copy), copy.retry_after) == ("internal", "A sentence.", str(failure), 2.0)


def test_what_may_be_asked_again_never_ran() -> None:
    """As the job's egress keeps it: these do not use an id up."""
    retryable = {code for kind in KINDS for code in kind.codes if error(code, "No.").retryable}
    script = (ROOT / "job/src/main/java/io/scurry/job/egress/ReplyScript.java").read_text()
    refusals = re.search(r"REFUSALS = Set.of\((.*?)\)", script, re.DOTALL)
    assert refusals
    assert retryable == set(re.findall(r'"(\w+)"', refusals[1])) - {"model_not_found"}
