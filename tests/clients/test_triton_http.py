"""Triton's HTTP clients, unmodified: every call of their public API, as the table in docs/clients.md says."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest
import tritonclient.http
import tritonclient.http.aio
from tests.clients.conftest import run_json
from tests.clients.environments import client_program
from tests.clients.triton_http import CALLS, LOCAL, public
from tests.conftest import ROOT, Stack
from tritonclient.http import InferInput, InferRequestedOutput

CLIENTS = {"sync": tritonclient.http.InferenceServerClient, "aio": tritonclient.http.aio.InferenceServerClient}

def documented() -> dict[str, str]:
    """What the table says of each call over HTTP."""
    text = (ROOT / "docs" / "clients.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in text.splitlines() if line[:3] == "| `"]
    return {row[0].strip("`"): row[1] for row in rows if re.fullmatch(r"`[a-z_]+`", row[0])}


@pytest.mark.parametrize("kind", CLIENTS)
def test_every_call_of_the_client_stands_in_the_table(kind: str) -> None:
    """A call that a newer client brings is not forgotten."""
    assert set(public(CLIENTS[kind])) <= documented().keys() | LOCAL
    assert set(public(CLIENTS[kind])) <= CALLS.keys() | LOCAL


@pytest.mark.parametrize("environment", ["ours", "triton"])
@pytest.mark.parametrize("kind", CLIENTS)
def test_every_call_does_what_the_table_says(triton_stack: Stack, environment: str, kind: str) -> None:
    """It answers, or is refused with the sentence that stands there; of this client's newest version, and of 2.51."""
    python = sys.executable if environment == "ours" else client_program(environment)
    found = run_json(python, "triton_http.py", triton_stack.http_url.removeprefix("http://"), kind)
    told = documented()
    for name, outcome in found.items():
        if name in LOCAL:
            continue
        if told[name] == "yes":
            assert outcome == "answers", f"{name}: {outcome}"
        else:
            sentence = told[name].removeprefix("refused: ").strip("“”")
            assert outcome.startswith("refused 4"), f"{name}: {outcome}"
            assert sentence in outcome, f"{name}: {outcome}"


def test_two_hundred_megabytes_are_answered(triton_stack: Stack) -> None:
    """The limit is what `scurry up` was told."""
    rows = 100 * 1024 * 1024 // 16
    values = np.random.default_rng(0).integers(-60, 60, (rows, 16)).astype(np.int8)
    ones = np.ones((rows, 16), np.int8)
    given: list[Any] = [InferInput(name, [rows, 16], "INT8") for name in ("INPUT0", "INPUT1")]
    given[0].set_data_from_numpy(values)
    given[1].set_data_from_numpy(ones)
    address = triton_stack.http_url.removeprefix("http://")
    with tritonclient.http.InferenceServerClient(address, network_timeout=300) as client:
        result = client.infer("simple_int8", given, outputs=[InferRequestedOutput("OUTPUT0")])
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values + ones)
