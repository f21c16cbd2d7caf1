"""The door to results. How they come there: test_deferred.py."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.unit.gateway import later
from tests.unit.gateway.doors import test_deferred
from tests.unit.gateway.doors.test_deferred import ASYNC, BODY, TARGET, json_of
from tests.unit.gateway.doors.test_live_events import Outlet
from tests.unit.gateway.later import call

from scurry.gateway.doors import results as door_of_results
from scurry.gateway.doors.entrance import answered
from scurry.gateway.doors.event_stream import EventReply
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.replies import HttpReply, json_reply
from scurry.gateway.doors.results import MOST_IDS, ResultsHttp, document, wait_of
from scurry.gateway.limits import Admission
from scurry.wire.errors import InvalidRequest

if TYPE_CHECKING:
    from tests.unit.gateway.doors.test_deferred import Doors
    from tests.unit.gateway.later import Job

    from scurry.gateway.results import Results

redis, job, client, results, doors = later.redis, later.job, later.client, later.results, test_deferred.doors
EVENTS = {"Accept": "text/event-stream"}


async def submit(doors: Doors, body: Any = BODY) -> str:
    """A request's id."""
    return str(json_of(await doors("POST", TARGET, body, ASYNC))["id"])


async def test_an_error_has_its_own_status(doors: Doors, job: Job) -> None:
    """As if it had been waited for."""
    job.code = "overloaded"
    reply = await doors("GET", f"/v2/results/{await submit(doors)}")
    assert (reply.status, json_of(reply)["code"]) == (503, "overloaded")


async def test_deleted_is_404(doors: Doors) -> None:
    """For every verb from then on."""
    where = f"/v2/results/{await submit(doors)}"
    assert json_of(await doors("DELETE", where))["status"] == "deleted"
    for method in ("GET", "HEAD", "DELETE"):
        reply = await doors(method, where)
        assert (reply.status, json_of(reply)["code"]) == (404, "result_not_found")


@pytest.mark.parametrize(
    ("method", "target", "headers", "status"),
    [
        ("GET", "/v2/results/nobody", {}, 404),
        ("GET", "/v2/results", {}, 404),
        ("GET", "/v2/results?ids=", EVENTS, 404),
        ("GET", "/v2/results?ids=a,b", {}, 400),
        ("GET", "/v2/results?ids=" + ",".join(map(str, range(MOST_IDS + 1))), EVENTS, 400),
        ("GET", f"/v2/results/{'a' * 32}?wait=soon", {}, 400),
        ("GET", f"/v2/results/{'a' * 32}?wait=-1", {}, 400),
        ("GET", f"/v2/results/{'a' * 32}?wait=nan", {}, 400),
        ("GET", f"/v2/results/{'a' * 32}/more", {}, 404),
        ("GET", "/v2/results/%2e%2e", {}, 404),
        ("DELETE", "/v2/results", {}, 405),
        ("POST", f"/v2/results/{'a' * 32}", {}, 405),
    ],
)
async def test_what_is_not_there(
    doors: Doors, method: str, target: str, headers: dict[str, str], status: int
) -> None:
    """A sentence says what is."""
    reply = await doors(method, target, b"", headers)
    assert reply.status == status
    assert json_of(reply)["error"]


def test_a_wait_is_bounded() -> None:
    """Who asks for more gets a minute."""
    assert wait_of({"wait": ["2.5"]}) == 2.5
    assert wait_of({"wait": ["100000"]}) == 60
    assert wait_of({}) == 0
    with pytest.raises(InvalidRequest, match="wait"):
        wait_of({"wait": [""]})


async def test_several_are_told_as_they_come(doors: Doors, job: Job) -> None:
    """One event each, then the end."""
    done = await submit(doors)
    job.answers = False
    coming = await submit(doors)
    reply = await doors("GET", f"/v2/results?ids={coming},{done},nobody,{done}", b"", EVENTS)
    assert isinstance(reply, EventReply)
    outlet = Outlet()
    reply.events.open(outlet)
    await asyncio.sleep(0.02)
    assert len(outlet.sent) == 2
    job.answer()
    await asyncio.sleep(0.02)
    told = [orjson.loads(data.partition(b"data: ")[2]) for data in outlet.sent]
    assert {one["id"]: one["status"] for one in told[:3]} == {"nobody": 404, done: 200, coming: 200}
    assert told[2]["result"]["outputs"][0]["data"] == [1, 2]
    assert (told[3], outlet.ended) == ({}, True)


async def test_what_is_no_text_or_large_is_to_be_fetched(
    doors: Doors, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event says where."""
    odd = {"name": "x", "datatype": "BYTES", "shape": [1], "data": [{"b64": "/w=="}]}
    ids = [await submit(doors), await submit(doors, {"inputs": [odd]})]
    monkeypatch.setattr(door_of_results, "AT_ONCE", 20)
    told = [orjson.loads(await document(results, one, await results.look(one))) for one in ids]
    assert told[0] == {"id": ids[0], "status": 200, "location": f"/v2/results/{ids[0]}"}
    assert told[1]["status"] == 200


async def test_each_protocol_writes_its_own_answers(results: Results) -> None:
    """By what the note says of the form."""
    request_id = await results.id_for("", "")
    await results.submit(call(request_id), {"protocol": "rows", "sign": "!"})

    async def write(form: Any, answer: Any, model: str) -> HttpReply:
        return json_reply([model, form["sign"], len(answer.reply.outputs)])

    door = ResultsHttp(results, {"rows": write})
    head = Head("GET", f"/v2/results/{request_id}", {}, 0, True)
    reply = await answered(door, head, b"", Admission(100).room())
    assert json_of(reply) == ["m", "!", 1]
