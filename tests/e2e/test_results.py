"""Results that are fetched later, through the real job: gateways killed, keys repeated, receivers called."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT, Stack, free_port
from tests.doubling import save_double
from tests.e2e.test_gateways import gateways
from tests.e2e.test_up import eventually

MODEL = "later"
ASYNC = {"Prefer": "respond-async"}


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps the bodies that it is sent."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", free_port()), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Somebody who wants results sent."""
    made = Receiver()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join(10)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Stack]:
    """Two gateways on one port before a model that doubles."""
    folder = tmp_path_factory.mktemp("later")
    env = {
        "SCURRY_CALLBACKS": f"http://127.0.0.1:{receiver.server_port}/in/",
        "SCURRY_CALLBACK_SECRET": "secret",
        "SCURRY_RESULTS_S": "600",
    }
    stack = Stack(folder / "up", "--workers", "1", "--gateways", "2", "--log-level", "error", env=env)
    try:
        stack.register(MODEL, save_double(folder / "double.onnx", 3))
        yield stack
    finally:
        stack.stop()


def body(*numbers: float) -> bytes:
    """One row."""
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 3], "data": numbers}
    return json.dumps({"inputs": [tensor]}).encode()


def ask(
    stack: Stack, method: str, path: str, data: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Status and JSON, over a connection of its own."""
    link = http.client.HTTPConnection("127.0.0.1", int(stack.http_url.rpartition(":")[2]), timeout=60)
    try:
        link.request(method, path, data, headers or {})
        reply = link.getresponse()
        return reply.status, json.loads(reply.read() or b"null")
    finally:
        link.close()


def submit(stack: Stack, data: bytes, **headers: str) -> str:
    """Where the result will be."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    status, told = ask(stack, "POST", f"/v2/models/{MODEL}/infer", data, ASYNC | named)
    assert status == 202, told
    return str(told["location"])


def data_of(told: Any) -> list[float]:
    """The output's numbers."""
    return list(told["outputs"][0]["data"])


def test_many_are_submitted_and_each_gets_its_own_answer(pair: Stack) -> None:
    """Whichever gateway is asked."""
    places = [submit(pair, body(number, 0, 0)) for number in range(50)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda place: ask(pair, "GET", f"{place}?wait=30"), places))
    assert [(status, data_of(told)) for status, told in answers] == [(200, [2.0 * n, 0, 0]) for n in range(50)]
    assert len(set(places)) == 50


def test_an_error_is_a_result(pair: Stack) -> None:
    """What the job refuses is told where the result would be."""
    status, told = ask(pair, "POST", "/v2/models/later-nobody/infer", body(1, 2, 3), ASYNC)
    assert status == 202
    status, told = ask(pair, "GET", f"{told['location']}?wait=30")
    assert (status, told["code"]) == (404, "model_not_found")


def test_a_result_is_read_at_a_gateway_that_never_saw_it(pair: Stack) -> None:
    """All that stood when it was submitted are killed; long polls of the new ones are answered."""
    before = gateways(pair)
    places = [submit(pair, body(number, 1, 1)) for number in range(10)]
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def are_new() -> bool:
        now = gateways(pair)
        return now.keys() == before.keys() and not set(now.values()) & {0, *before.values()}

    eventually(are_new, 30, "new gateways")

    def is_answered() -> bool:
        try:
            return ask(pair, "GET", "/v2/health/ready")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    eventually(is_answered, 30, "a gateway that answers")
    for number, place in enumerate(places):
        status, told = ask(pair, "GET", f"{place}?wait=30")
        assert (status, data_of(told)) == (200, [2.0 * number, 2, 2])


def test_a_key_is_answered_once_whoever_repeats_it(pair: Stack) -> None:
    """At the same time, at both gateways, waiting and not; the model saw it once for all that can be told."""
    key = {"Idempotency-Key": "order-1"}

    def one(number: int) -> tuple[int, Any]:
        wish = ASYNC if number % 3 == 0 else {}
        return ask(pair, "POST", f"/v2/models/{MODEL}/infer", body(4, 5, 6), key | wish)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(one, range(24)))
    assert {status for status, _ in answers} == {200, 202}
    assert {tuple(data_of(told)) for status, told in answers if status == 200} == {(8, 10, 12)}
    places = {told["location"] for status, told in answers if status == 202}
    assert len(places) == 1
    status, told = ask(pair, "GET", f"{places.pop()}?wait=30")
    assert (status, data_of(told)) == (200, [8, 10, 12])
    for wish in ({}, ASYNC):
        status, told = ask(pair, "POST", f"/v2/models/{MODEL}/infer", body(4, 5, 7), key | wish)
        assert (status, told["code"]) == (422, "id_conflict")


def test_a_refusal_does_not_use_a_key_up(pair: Stack, tmp_path: Path) -> None:
    """The same request under the same key runs once there is such a model."""
    key = {"Idempotency-Key": "early"}
    path = "/v2/models/later-young/infer"
    assert ask(pair, "POST", path, body(1, 1, 1), key)[1]["code"] == "model_not_found"
    place = ask(pair, "POST", path, body(1, 1, 1), key | ASYNC)[1]["location"]
    assert ask(pair, "GET", f"{place}?wait=30")[0] == 404
    pair.register("later-young", save_double(tmp_path / "double.onnx", 3))
    assert data_of(ask(pair, "POST", path, body(1, 1, 1), key)[1]) == [2, 2, 2]
    assert data_of(ask(pair, "GET", place)[1]) == [2, 2, 2]


def test_large_tensors_are_fetched_whole(pair: Stack, tmp_path: Path) -> None:
    """Parked in both directions, more than once, until the result is deleted."""
    rows = 2000
    tensor = {"name": "x", "datatype": "FP32", "shape": [rows, 3], "data": [1.0] * 3 * rows}
    place = submit(pair, json.dumps({"inputs": [tensor]}).encode())
    for _ in range(2):
        status, told = ask(pair, "GET", f"{place}?wait=30")
        assert status == 200
        assert data_of(told) == [2.0] * 3 * rows
    assert ask(pair, "DELETE", place)[0] == 200
    status, told = ask(pair, "GET", place)
    assert (status, told["code"]) == (404, "result_not_found")


def test_a_result_is_sent_to_who_wants_it_sent(pair: Stack, receiver: Receiver) -> None:
    """To an address on the list, and to no other."""
    url = f"http://127.0.0.1:{receiver.server_port}"
    place = submit(pair, body(7, 8, 9), Scurry_Callback=f"{url}/in/mine")
    eventually(lambda: bool(receiver.bodies), 30, "the result")
    (told,) = receiver.bodies
    assert (told["id"], told["status"]) == (place.rpartition("/")[2], 200)
    assert data_of(told["result"]) == [14, 16, 18]
    headers = ASYNC | {"Scurry-Callback": f"{url}/out"}
    assert ask(pair, "POST", f"/v2/models/{MODEL}/infer", body(1, 1, 1), headers)[0] == 403


def test_events_come_as_results_do(pair: Stack) -> None:
    """With what everybody has: curl."""
    ids = [submit(pair, body(number, 0, 0)).rpartition("/")[2] for number in range(5)]
    command = ["curl", "-sN", "--max-time", "60", "-H", "Accept: text/event-stream"]
    stream = subprocess.run(
        [*command, f"{pair.http_url}/v2/results?ids={','.join(ids)}"], capture_output=True, text=True, check=True
    )
    told = [json.loads(line.removeprefix("data: ")) for line in stream.stdout.splitlines() if line.startswith("data")]
    assert {one["id"]: data_of(one["result"])[0] for one in told[:-1]} == {
        one: 2.0 * number for number, one in enumerate(ids)
    }
    assert told[-1] == {}
    live = subprocess.run(
        [*command, "--max-time", "4", f"{pair.http_url}/v2/statistics/{MODEL}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    counts = [json.loads(line.removeprefix("data: ")) for line in live.stdout.splitlines() if line.startswith("data")]
    assert len(counts) >= 2
    assert counts[-1]["versions"][0]["ok"] > 0


def test_the_commands_of_the_page_do_what_it_says(pair: Stack, tmp_path: Path) -> None:
    """docs/results.md, from top to bottom in one shell."""
    pair.register("double", save_double(tmp_path / "double.onnx", 3))
    page = (ROOT / "docs" / "results.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 4
    script = "set -eu\n" + "\n".join(blocks).replace("http://127.0.0.1:8000", pair.http_url)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"data":[2.0,4.0,6.0]' in done.stdout
    assert '"code":"id_conflict"' in done.stdout
    assert "event: end" in done.stdout
    assert "event: statistics" in done.stdout
    assert '"status":"deleted"' in done.stdout
