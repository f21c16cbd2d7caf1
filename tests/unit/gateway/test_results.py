"""Results that any gateway finds, and keys that are answered once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.gateway import later
from tests.unit.gateway.later import FORM, SECONDS, X, call, gateway

from scurry.wire.errors import Failed, InvalidRequest, NotFound, ScurryError, Unavailable
from scurry.wire.infer_pb2 import Tensor

if TYPE_CHECKING:
    from tests.unit.client.conftest import FakeRedis
    from tests.unit.gateway.later import Job

    from scurry.client.client import Client
    from scurry.gateway.results import Results

redis, job, client, results = later.redis, later.job, later.client, later.results
OTHER = Tensor(name="x", datatype="INT32", shape=[1], data=b"\1\0\0\0")


async def submit(results: Results, key: str = "", **more: Any) -> str:
    """Submit a request and return its id."""
    request_id = await results.id_for(key, "")
    await results.submit(call(request_id, **more), FORM, keyed=bool(key))
    return request_id


async def test_an_answer_is_found_by_a_gateway_that_came_later(results: Results, client: Client) -> None:
    """What is known of it is in Redis alone."""
    request_id = await submit(results)
    found = await gateway(client).look(request_id)
    assert (found.asked.model, found.asked.form) == ("m", FORM)
    assert found.fields is not None
    answer = await results.read(found.fields)
    assert (answer.version, answer.reply.outputs[0].data) == ("1", X.data)


async def test_note_and_request_leave_in_one_write(results: Results, redis: FakeRedis, job: Job) -> None:
    """The stream is the one for those who do not wait; note and result live equally long."""
    request_id = await submit(results, timeout_us=5_000_000)
    (write,) = [write for write in redis.writes if b"XADD" in write]
    assert f"scurry:asked:{request_id}".encode() in write
    assert redis.entries("scurry:bulk") == job.fields
    assert job.fields[0][b"keep"] == str(SECONDS).encode()
    assert redis.lives[f"scurry:asked:{request_id}".encode()] == SECONDS
    deadline = int(job.fields[0][b"deadline"]) / 1000 - asyncio.get_running_loop().time()
    assert deadline > 0


async def test_nobody_knows_an_id_that_was_not_given(results: Results, redis: FakeRedis) -> None:
    """Also when there is a result by that name, which somebody else asked for over Redis."""
    redis.hashes[b"scurry:result:" + b"a" * 32] = [b"status", b"ok"]
    for request_id in ("a" * 32, "b" * 32, "", "*", "A" * 32, "a" * 33):
        with pytest.raises(NotFound, match="result_not_found"):
            await results.look(request_id)


async def test_results_belong_to_who_asked(results: Results) -> None:
    """Another scope sees what it would see of nothing."""
    request_id = await results.id_for("", "acme")
    await results.submit(call(request_id), FORM, scope="acme")
    assert (await results.look(request_id, "acme")).fields
    for scope in ("", "other"):
        with pytest.raises(NotFound):
            await results.look(request_id, scope)
        with pytest.raises(NotFound):
            await results.delete(request_id, scope)


async def test_who_waits_is_told_by_the_stream(results: Results, job: Job, redis: FakeRedis) -> None:
    """While nothing comes, Redis is asked nothing."""
    job.answers = False
    request_id = await submit(results)
    waiting = asyncio.create_task(results.wait(request_id, "", 30))
    for _ in range(20):
        await asyncio.sleep(0)
    quiet = len(redis.commands)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(redis.commands) == quiet
    assert not waiting.done()
    job.answer()
    assert (await waiting).fields is not None


async def test_many_wait_on_one_read(results: Results, job: Job, redis: FakeRedis) -> None:
    """One blocking read for all of them."""
    job.answers = False
    ids = [await submit(results) for _ in range(20)]
    waiting = [asyncio.create_task(results.wait(one, "", 30)) for one in ids]
    await asyncio.sleep(0.01)
    assert sum(command[0] == b"XREAD" and b"scurry:replies:!results" in command for command in redis.commands) == 1
    job.answer()
    assert all(found.fields for found in await asyncio.gather(*waiting))
    assert "0 ids watched" in repr(results)


async def test_a_wait_ends(results: Results, job: Job) -> None:
    """With a last look, which shows what no notice told of."""
    job.answers = False
    request_id = await submit(results)
    assert (await results.wait(request_id, "", 0.01)).fields is None
    waiting = asyncio.create_task(results.wait(request_id, "", 0.05))
    await asyncio.sleep(0.01)
    job.reply_to(job.fields[0])  # and its notice is lost
    assert (await waiting).fields is not None


async def test_another_id_in_conflict_is_no_answer(results: Results, job: Job, redis: FakeRedis) -> None:
    """A notice only says that there is something to see."""
    job.answers = False
    request_id = await submit(results)
    waiting = asyncio.create_task(results.wait(request_id, "", 5))
    await asyncio.sleep(0.01)
    redis.reply(job.fields[0], {"status": "error", "error": "id_conflict", "message": "Used before."})
    await asyncio.sleep(0.01)
    assert not waiting.done()
    job.answer()
    found = await waiting
    assert found.fields is not None
    assert found.fields[b"status"] == b"ok"


async def test_a_deleted_result_is_unknown(results: Results, job: Job) -> None:
    """Under way or answered; what comes later is nobody's."""
    job.answers = False
    request_id = await submit(results)
    await results.delete(request_id)
    job.answer()
    with pytest.raises(NotFound):
        await results.look(request_id)
    with pytest.raises(NotFound):
        await results.delete(request_id)


async def test_what_is_parked_of_a_deleted_result_goes_too(results: Results, redis: FakeRedis) -> None:
    """Nothing but what lies in the request's own name."""
    request_id = await results.id_for("", "")
    own, foreign = f"scurry:payload:{request_id}:out:1f:y", "scurry:payload:other:out:1f:y"
    redis.strings |= {own.encode(): b"1", foreign.encode(): b"1"}
    for key in (own, foreign):
        tensor = Tensor(name="y", datatype="INT32", shape=[1], payload=key)
        await results.submit(call(request_id, tensor=tensor), FORM)
        await results.delete(request_id)
    assert own.encode() not in redis.strings
    assert foreign.encode() in redis.strings


async def test_errors_are_results(results: Results, job: Job) -> None:
    """With the code that the job gave."""
    job.code = "input_shape"
    found = await results.look(await submit(results))
    assert found.fields is not None
    with pytest.raises(InvalidRequest, match="input_shape"):
        await results.read(found.fields)


async def test_without_redis_nothing_is_taken_nor_told(
    results: Results, redis: FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, never `unknown`: nobody can say."""
    monkeypatch.setattr("scurry.client.later.PATIENCE_S", 0.02)
    request_id = await submit(results)
    redis.deaf = True
    with pytest.raises(Unavailable):
        await results.look(request_id)
    with pytest.raises(Unavailable):
        await submit(results)
    with pytest.raises(Unavailable):
        await results.delete(request_id)


async def test_the_same_key_is_the_same_request(results: Results, client: Client, job: Job) -> None:
    """Waiting or not, at any gateway; the id is the same and nobody can guess it."""
    first = await results.id_for("k", "")
    assert first == await gateway(client).id_for("k", "")
    assert len({first, await results.id_for("k", "acme"), await results.id_for("k2", ""), first}) == 3
    job.answers = False
    assert await results.submit(call(first), FORM, keyed=True) is False
    assert await results.submit(call(first), FORM, keyed=True) is False  # the job sees it twice and answers once
    job.answers = True
    answer = await results.ask(call(first), FORM)
    assert answer.reply.outputs[0].data == X.data
    asked = len(job.fields)
    assert (await results.ask(call(first), FORM)).reply == answer.reply
    assert await results.submit(call(first), FORM, keyed=True) is True
    assert len(job.fields) == asked


async def test_ids_cannot_be_made_from_keys_alone(redis: FakeRedis, results: Results, client: Client) -> None:
    """They hang on a secret that only Redis has."""
    first = await results.id_for("k", "")
    redis.strings.clear()
    assert await gateway(client).id_for("k", "") != first


@pytest.mark.parametrize("waits", [True, False])
async def test_a_key_with_another_body_is_a_conflict(results: Results, job: Job, waits: bool) -> None:
    """Model, version and tensors are held to it, under way and answered."""
    request_id = await submit(results, "k")
    for other in (call(request_id, "n"), call(request_id, version="2"), call(request_id, tensor=OTHER)):
        with pytest.raises(InvalidRequest) as conflict:
            await (results.ask(other, FORM) if waits else results.submit(other, FORM, keyed=True))
        assert conflict.value.code == "id_conflict"
    assert len(job.fields) == 1


async def test_a_refusal_does_not_use_a_key_up(results: Results, job: Job) -> None:
    """The same again runs, and so does another; an error of the model stands."""
    job.code = "overloaded"
    request_id = await submit(results, "k")
    with pytest.raises(ScurryError, match="overloaded"):
        await results.ask(call(request_id), FORM)
    job.code = "model_failed"
    await results.submit(call(request_id, tensor=OTHER), FORM, keyed=True)
    job.code = ""
    with pytest.raises(Failed, match="model_failed"):
        await results.ask(call(request_id, tensor=OTHER), FORM)


async def test_a_deleted_key_is_not_asked_again(results: Results) -> None:
    """The job would answer nothing: it remembers the id."""
    request_id = await submit(results, "k")
    await results.delete(request_id)
    with pytest.raises(Failed, match="already_answered"):
        await results.submit(call(request_id), FORM, keyed=True)


async def test_without_its_note_a_result_answers_nobody_else(results: Results, redis: FakeRedis, job: Job) -> None:
    """What was asked is known to the job alone: it judges for who waits, and who does not is refused."""
    request_id = await submit(results, "k")
    note = f"scurry:asked:{request_id}".encode()
    del redis.strings[note]
    for tensor in (OTHER, X):
        with pytest.raises(Failed, match="already_answered"):
            await results.submit(call(request_id, tensor=tensor), FORM, keyed=True)
    assert (await results.ask(call(request_id), FORM)).reply.outputs[0].data == X.data
    assert len(job.fields) == 2
    redis.job = lambda fields: {"status": "error", "error": "id_conflict", "message": "Used before."}
    with pytest.raises(InvalidRequest, match="id_conflict"):
        await results.ask(call(request_id, tensor=OTHER), FORM)
    assert note not in redis.strings  # it would outlive the result, and be told as under way


@pytest.mark.parametrize("key", ["k" * 256, "a\tb"])
async def test_what_is_no_key(results: Results, key: str) -> None:
    """One sentence says what is."""
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        await results.id_for(key, "")


async def test_a_gateway_that_goes_keeps_nobody_waiting(results: Results, job: Job) -> None:
    """He is told that it is under way, and waits at another; a call-back is waited for to the end."""
    job.answers = False
    request_id = await submit(results)
    waiting = asyncio.create_task(results.wait(request_id, "", 30))
    staying = asyncio.create_task(results.wait(request_id, "", 30, stays=True))
    await asyncio.sleep(0.01)
    results.leave()
    assert (await waiting).fields is None
    assert (await results.wait(request_id, "", 30)).fields is None
    assert not staying.done()
    job.answer()
    assert (await staying).fields is not None
