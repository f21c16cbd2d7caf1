"""The client over HTTP against a real listener, with an echo in place of the job and a fake of the results door."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.integration.listening import LIMIT, RECORD, Echo

from scurry import BlockingClient, Client
from scurry.client.answers import Answer
from scurry.client.http_client import HttpClient
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.listener import Listener
from scurry.gateway.doors.replies import HttpReply, json_reply, refusal
from scurry.gateway.health import Health
from scurry.gateway.limits import COPIES, Admission, Room
from scurry.gateway.models import Models
from scurry.wire.errors import Failed, InvalidRequest, NotFound, Unavailable, error
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import Split, Update

KEY = "s3cret"
X = {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}
BIG = 10 * LIMIT


class Job(Echo):
    """Refuses so many requests first; answers registry changes with what they were."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[str] = []
        self.told: list[dict[str, Any]] = []

    async def ask(self, model: str, request: InferRequest, **options: Any) -> Answer:
        self.told.append(options)
        if self.refusals:
            raise error(self.refusals.pop(0), "Not now.")
        return await super().ask(model, request, **options)

    async def update(self, update: Any, **options: Any) -> dict[str, Any]:
        return {"model": update.model, "asked": json.loads(update.json)}


class Door:
    """The Open Inference Protocol, and results as another door is to offer them."""

    def __init__(self, inner: OpenInferenceHttp) -> None:
        self._inner = inner
        self.results: dict[str, HttpReply | None] = {}
        self.heads: list[Head] = []

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        self.heads.append(head)
        head = head._replace(wishes=False)  # this gateway keeps no results; the wish is met here
        if head.target.startswith("/v2/results/"):
            done(self._result(head))
        elif head.headers.get("Prefer") == "respond-async":
            name = f"r{len(self.results)}"
            self.results[name] = None
            self._inner.begin(head, body, room, lambda reply: self.results.update({name: reply}))
            done(json_reply({"id": name, "status": "accepted"}, 202, f"Location: /v2/results/{name}\r\n".encode()))
        else:
            self._inner.begin(head, body, room, done)

    def _result(self, head: Head) -> HttpReply:
        name = head.target.partition("?")[0].rpartition("/")[2]
        if name not in self.results:
            return refusal(NotFound("result_not_found", f"Nobody asked for {name}."))
        if head.method == "DELETE":
            del self.results[name]
            return json_reply({})
        return self.results[name] or json_reply({"id": name, "status": "running"}, 202)


@dataclass
class Gateway:
    """What the tests talk to."""

    port: int
    job: Job
    door: Door
    listener: Listener
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"

    def sent(self, name: str) -> list[str | None]:
        """A header of each inference."""
        return [head.headers.get(name) for head in self.door.heads if head.target.endswith("/infer")]


async def listening(port: int = 0) -> Gateway:
    """A gateway with an admin key, on a port."""
    job = Job()
    admin = Admin(job, key=KEY, host="127.0.0.1")
    door = Door(OpenInferenceHttp(Ask(job, max_in_flight=1000, timeout_s=10), Models(job), Health(job), admin))
    listener = Listener(door, Admission(4 * COPIES * BIG), max_body_bytes=BIG, body_timeout_s=5)
    return Gateway(await listener.open("127.0.0.1", port), job, door, listener)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway with an admin key."""
    made = await listening()
    yield made
    await made.listener.close(1)


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[Client]:
    """A client of it."""
    async with Client(gateway.url, admin_key=KEY) as opened:
        yield opened


async def test_the_url_decides(client: Client) -> None:
    """The class is a subclass, so that a program need not know."""
    assert type(client) is HttpClient
    assert isinstance(client, Client)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.arange(100_000, dtype=np.float64),
        np.array([[True, False]]),
        np.zeros((0, 3), np.int32),
        np.array([b"\xff\x00", b"", "é".encode()], dtype=object),
        np.float16(1.5),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
async def test_arrays_come_back_as_they_went(client: Client, array: Any) -> None:
    """Every shape and type, small and large, bit by bit."""
    outputs = await client.infer("m", {"z": array})
    assert outputs["z"].dtype == array.dtype
    assert outputs["z"].shape == array.shape
    assert outputs["z"].tolist() == array.tolist()


async def test_one_array_is_for_the_only_input_in_its_type(client: Client) -> None:
    """The model's metadata tells its name and data type."""
    outputs = await client.infer("m", [[1, 2, 3]])
    assert outputs["x"].dtype == np.float32
    assert outputs["x"].tolist() == [[1.0, 2.0, 3.0]]


async def test_what_is_told_beside_the_inputs_arrives(client: Client, gateway: Gateway) -> None:
    """Version, sticky key, tenant, priority, time-out and parameters."""
    await client.infer("m", X, version="2", key="user", tenant="acme", priority=3, timeout=7.5, parameters={"top": 2})
    told = gateway.job.told[0]
    assert (told["version"], told["key"], told["tenant"], told["priority"]) == ("2", "user", "acme", 3)
    assert told["timeout"] == 7.5


async def test_a_message_is_answered_with_a_message(client: Client) -> None:
    """The same as over Redis."""
    request = InferRequest()
    request.inputs.add(name="x", datatype="INT64", shape=[1], data=(5).to_bytes(8, "little"))
    request.parameters["top"].int_value = 3
    answer = await client.ask("m", request)
    assert (answer.model, answer.version) == ("m", "1")
    assert answer.reply == InferReply(outputs=request.inputs)
    assert answer.outputs["x"].tolist() == [5]


async def test_errors_have_their_code_and_class(client: Client, gateway: Gateway) -> None:
    """The gateway's sentence, and when to come back."""
    with pytest.raises(NotFound, match="No model is called 'ghost'") as caught:
        await client.infer("ghost", X)
    assert caught.value.code == "model_not_found"
    gateway.job.refusals = ["overloaded"]
    with pytest.raises(Unavailable) as refused:
        await client.infer("m", X)
    assert (refused.value.code, refused.value.retry_after, refused.value.retryable) == ("overloaded", 1.0, True)
    gateway.job.refusals = ["model_failed"]
    with pytest.raises(Failed):
        await client.infer("m", X)


async def test_what_is_refused_is_asked_again_as_the_same(client: Client, gateway: Gateway) -> None:
    """Under one key, with one body; not more often than told."""
    gateway.job.refusals = ["model_not_ready"]
    assert (await client.infer("m", X, retries=1))["x"].tolist() == X["x"].tolist()
    keys = gateway.sent("Idempotency-Key")
    assert keys[0]
    assert keys == [keys[0]] * 2
    gateway.job.refusals = ["model_failed"]
    with pytest.raises(Failed):
        await client.infer("m", X, retries=5)
    assert len(gateway.sent("Idempotency-Key")) == 3, "what has run is not asked again"


async def test_a_client_that_was_closed_says_so(client: Client) -> None:
    """It is no gateway that is away."""
    await client.close()
    with pytest.raises(RuntimeError, match="not open"):
        await client.infer("m", X)


async def test_an_id_of_ones_own_is_the_idempotency_key(client: Client, gateway: Gateway) -> None:
    """And who gives none and does not retry sends none: nothing need be kept for him."""
    await client.infer("m", X, id="mine")
    await client.infer("m", X)
    assert gateway.sent("Idempotency-Key") == ["mine", None]


async def test_a_header_cannot_be_smuggled_in(client: Client) -> None:
    """What would break the request is refused, by its name."""
    with pytest.raises(InvalidRequest, match="tenant is sent as a header"):
        await client.infer("m", X, tenant="a\r\nX-Admin-Key: b")


async def test_a_time_out_is_an_error_with_a_code(client: Client, gateway: Gateway) -> None:
    """As over Redis."""
    gateway.job.gate.clear()
    with pytest.raises(Unavailable) as late:
        await client.infer("m", X, timeout=0.2)
    assert late.value.code == "deadline_exceeded"
    gateway.job.gate.set()


async def test_a_gateway_that_is_gone_is_unavailable(gateway: Gateway) -> None:
    """When opened, when asked, and until it is back."""
    async with Client(gateway.url) as client:
        await gateway.listener.close(1)
        with pytest.raises(Unavailable, match="cannot be reached"):
            await client.infer("m", X)
        assert not await client.live()
        assert not await client.ready()
        with pytest.raises(Unavailable):
            await Client(gateway.url).open()
        asked = asyncio.create_task(client.infer("m", X, retries=100, timeout=20))
        await asyncio.sleep(0.1)
        again = await listening(gateway.port)
        assert (await asked)["x"].tolist() == X["x"].tolist()
        await again.listener.close(1)


async def test_many_are_in_flight_over_a_pool(client: Client, gateway: Gateway) -> None:
    """The connections stay open between requests."""
    await asyncio.gather(*(client.infer("m", {"x": np.float32([n])}) for n in range(50)))
    replies = [reply async for reply in client.stream("m", ({"x": np.float32([n])} for n in range(200)), in_flight=20)]
    assert [reply.outputs["x"].tolist() for reply in replies] == [[float(n)] for n in range(200)]
    assert gateway.job.asked == 250


async def test_started_requests_are_awaited_later(client: Client, gateway: Gateway) -> None:
    """By the handle, or by its id from any client; then forgotten."""
    gateway.job.gate.clear()
    pending = await client.start("m", X)
    assert not pending.done()
    with pytest.raises(NotFound, match="under way"):
        await client.result(pending.id)
    with pytest.raises(Unavailable) as late:
        await pending.result(timeout=0.05)
    assert late.value.code == "deadline_exceeded"
    gateway.job.gate.set()
    assert (await pending)["x"].tolist() == X["x"].tolist()
    async with Client(gateway.url) as other:
        assert (await other.result(pending.id, wait=5)).outputs["x"].tolist() == X["x"].tolist()
        await other.forget(pending.id)
        await other.forget(pending.id)
        with pytest.raises(NotFound) as gone:
            await other.result(pending.id)
    assert gone.value.code == "result_not_found"


async def test_a_handle_outlives_the_gateway(gateway: Gateway) -> None:
    """The result is not in it: the next one on that address tells it."""
    async with Client(gateway.url) as client:
        gateway.job.gate.clear()
        pending = await client.start("m", X)
        waiting = asyncio.create_task(pending.result(20))
        await asyncio.sleep(0.05)
        await gateway.listener.close(0.2)
        await asyncio.sleep(0.05)
        assert not waiting.done()
        again = await listening(gateway.port)
        again.door.results = gateway.door.results
        gateway.job.gate.set()
        assert (await waiting)["x"].tolist() == X["x"].tolist()
        await again.listener.close(1)


async def test_a_cancelled_request_leaves_no_result(client: Client, gateway: Gateway) -> None:
    """The model finishes it for nobody."""
    pending = await client.start("m", X)
    await pending.cancel()
    assert gateway.door.results == {}


async def test_what_only_redis_can_do_says_so(client: Client) -> None:
    """With a code of its own, whatever it is."""
    for work in (
        client.infer("m", X, bulk=True), client.infer("m", X, keep=5), client.history("m"), client.events(),
        client.job(), client.update(Update(model="m"), id="one"), client.registry.register("m", "/m", wait=False),
    ):  # fmt: skip
        with pytest.raises(InvalidRequest) as caught:
            await work
        assert caught.value.code == "not_offered"
    with pytest.raises(InvalidRequest, match="redis:// URL"):
        client.submit("m", b"")


async def test_readiness(client: Client) -> None:
    """Of the gateway, a model, a version; what nobody knows is not ready."""
    assert await client.live()
    assert await client.ready()
    assert await client.ready("m")
    assert await client.ready("m", "1")
    assert not await client.ready("m", "7")
    assert not await client.ready("ghost")


async def test_records_are_whole(client: Client, gateway: Gateway) -> None:
    """As over Redis; with the key only."""
    assert await client.models() == {"m": RECORD}
    assert await client.models(limit=1, after="a") == {"m": RECORD}
    assert await client.record("m") == RECORD
    assert await client.record("ghost") is None
    async with Client(gateway.url) as stranger:
        with pytest.raises(InvalidRequest) as caught:
            await stranger.models()
    assert caught.value.code == "not_authenticated"
    async with Client(gateway.url, admin_key="wrong") as stranger:
        with pytest.raises(InvalidRequest) as caught:
            await stranger.record("m")
    assert caught.value.code == "not_allowed"


async def test_changes_go_to_the_registry(client: Client) -> None:
    """With plain values, or as messages; large numbers stay numbers."""
    assert await client.registry.split("m", {"1": 90}) == {"model": "m", "asked": {"split": {"weights": {"1": 90}}}}
    told: Any = await client.registry.limits("m", max_timeout=30, tenants={"acme": {"rate": 5}})
    assert told["asked"] == {"limits": {"max_timeout_microseconds": 30_000_000, "tenants": {"acme": {"rate": 5}}}}
    assert (await client.update(Update(model="m", split=Split(weights={"2": 1}))))["asked"] == {
        "split": {"weights": {"2": 1}}
    }


async def test_keys_are_sent_and_not_shown(gateway: Gateway) -> None:
    """Not in any text that lands in a log."""
    async with Client(gateway.url.replace("//", "//me:pass@"), api_key="k3y", admin_key=KEY) as client:
        await client.ping()
        shown = f"{client!r}{client.registry!r}"
    assert not any(secret in shown for secret in ("pass", "k3y", KEY))
    async with Client(gateway.url, api_key="k3y") as client:
        await client.infer("m", X)
    assert gateway.sent("Authorization") == ["Bearer k3y"]


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A gateway on a thread of its own, for callers that block."""
    from scurry.client.loop_thread import LoopThread

    thread = LoopThread("gateway")
    made = thread.wait_for(listening())
    yield made
    thread.wait_for(made.listener.close(1))
    thread.stop()


def test_it_blocks_over_http_as_well(running: Gateway) -> None:
    """Everything by delegation: streams, handles, the registry."""
    with BlockingClient(running.url, admin_key=KEY) as client:
        assert client.infer("m", X)["x"].tolist() == X["x"].tolist()
        for ordered in (True, False):
            replies = client.stream("m", (np.float32([[n, 0, 0]]) for n in range(100)), in_flight=8, ordered=ordered)
            assert sorted(reply.outputs["x"][0, 0] for reply in replies) == list(range(100))
        pending = client.start("m", X)
        assert pending.result(timeout=5)["x"].tolist() == X["x"].tolist()
        pending.cancel()
        assert running.door.results == {}
        assert client.registry.promote("m", "1") == {"model": "m", "asked": {"promote": {"version": "1"}}}
        assert client.ready("m")


async def test_it_blocks_inside_a_running_loop(running: Gateway) -> None:
    """As in a notebook."""
    with BlockingClient(running.url) as client:
        assert client.infer("m", X)["x"].tolist() == X["x"].tolist()


@dataclass
class Files:
    """A key and its certificate, which signs itself."""

    key: str
    certificate: str


@pytest.fixture
def tls(tmp_path: Path) -> Files:
    """For 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = Files(str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem"))
    encoding = serialization.Encoding.PEM
    form, secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    Path(files.key).write_bytes(key.private_bytes(encoding, form, secret))
    Path(files.certificate).write_bytes(made.public_bytes(encoding))
    return files


async def test_tls_is_checked_unless_told_not_to(gateway: Gateway, tls: Files) -> None:
    """A stranger's certificate is no gateway; options are those of rediss://."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.certificate, tls.key)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", gateway.port)

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)
            sink.close()

        await asyncio.gather(copy(reader, outer), copy(inner, writer), return_exceptions=True)

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(Unavailable, match="cannot be reached"):
        await Client(url).open()
    for options in (f"ssl_ca_certs={tls.certificate}", "ssl_cert_reqs=none"):
        async with Client(f"{url}?{options}") as client:
            assert (await client.infer("m", X))["x"].tolist() == X["x"].tolist()
    server.close()
    await server.wait_closed()
