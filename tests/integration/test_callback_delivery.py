"""Results sent to a real receiver."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from tests.unit.gateway import later
from tests.unit.gateway.later import FORM, call

from scurry.gateway import callbacks as sender
from scurry.gateway.callbacks import Callbacks
from scurry.gateway.doors.results import document

if TYPE_CHECKING:
    from tests.unit.gateway.later import Job

    from scurry.gateway.results import Results

redis, job, client, results = later.redis, later.job, later.client, later.results


class Receiver:
    """Keeps what it is sent; answers with these statuses, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.come = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        self.seen.append((request.path, dict(request.headers), await request.read()))
        self.come.set()
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    """A receiver and its address."""
    made = Receiver()
    app = web.Application()
    app.router.add_post("/{any:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield made, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def promise(results: Results, url: str, made: Callbacks) -> str:
    """Submit a request whose result is to be sent."""
    request_id = await results.id_for("", "")
    await results.submit(call(request_id), FORM)
    made.check(url)
    made.promise(request_id, "", url)
    return request_id


def callbacks(results: Results, url: str) -> Callbacks:
    """To this receiver."""

    async def tell(request_id: str, found: Any) -> bytes:
        return await document(results, request_id, found)

    return Callbacks(results, tell, allowed=f"{url}/in/", secret="secret")


async def gone(made: Callbacks) -> None:
    """Until nothing is promised any more."""
    async with asyncio.timeout(10):
        while "0 promised" not in repr(made):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_result_is_sent_signed(results: Results, job: Job, receiver: tuple[Receiver, str]) -> None:
    """Once it is there, and once."""
    seen, url = receiver
    made = callbacks(results, url)
    job.answers = False
    request_id = await promise(results, f"{url}/in/here", made)
    await asyncio.sleep(0.05)
    assert seen.seen == []
    job.answer()
    await gone(made)
    ((path, headers, body),) = seen.seen
    assert path == "/in/here"
    assert headers["Scurry-Result"] == request_id
    at, told = headers["Scurry-Signature"].removeprefix("t=").split(",v1=")
    assert told == hmac.new(b"secret", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert b'"status":200' in body
    assert b'"data":[1,2]' in body
    await made.close()


async def test_it_is_sent_again_until_it_is_taken(
    results: Results, receiver: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back-off between; a receiver that is away is one that fails."""
    monkeypatch.setattr(sender, "FIRST_S", 0.01)
    seen, url = receiver
    seen.statuses = [500, 429, 503]
    made = callbacks(results, url)
    await promise(results, f"{url}/in/", made)
    await gone(made)
    assert len(seen.seen) == 4
    await made.close()


@pytest.mark.parametrize("status", [302, 400, 410])
async def test_redirects_and_refusals_end_it(results: Results, receiver: tuple[Receiver, str], status: int) -> None:
    """Nothing is sent to where a redirect leads."""
    seen, url = receiver
    seen.statuses = [status]
    made = callbacks(results, url)
    await promise(results, f"{url}/in/", made)
    await gone(made)
    assert [path for path, _, _ in seen.seen] == ["/in/"]
    await made.close()


async def test_nobody_is_sent_what_was_deleted(results: Results, job: Job, receiver: tuple[Receiver, str]) -> None:
    """And closing forgets what is promised."""
    seen, url = receiver
    made = callbacks(results, url)
    job.answers = False
    request_id = await promise(results, f"{url}/in/", made)
    await results.delete(request_id)
    job.answer()
    await gone(made)
    await promise(results, f"{url}/in/", made)
    await made.close()
    assert seen.seen == []


async def test_a_name_that_leads_home_is_not_followed(
    results: Results, receiver: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`localhost` is a private address behind a name."""
    monkeypatch.setattr(sender, "FIRST_S", 0.001)
    seen, url = receiver
    named = url.replace("127.0.0.1", "localhost")
    made = callbacks(results, named)
    await promise(results, f"{named}/in/", made)
    await gone(made)
    assert seen.seen == []
    await made.close()
