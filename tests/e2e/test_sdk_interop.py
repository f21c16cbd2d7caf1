"""A function written with the official SDK, bound beside ours and called by the router."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis
from tests.conftest import ROOT, Stack, free_port, wait_for_port

from scurry.client.client import Client
from scurry.wire.errors import InvalidRequest

EXAMPLE = ROOT / "examples" / "sdk_function"


@pytest.fixture(scope="module")
def sdk_python() -> Path:
    """An interpreter that has the SDK; made once, because it wants another protobuf than we do."""
    folder, wanted = ROOT / ".build" / "sdk-venv", EXAMPLE / "requirements.txt"
    stamp = folder / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", "-r", str(wanted)]
        subprocess.run(install, check=True, timeout=300)
        stamp.write_text(wanted.read_text())
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def user_function(sdk_python: Path) -> Iterator[int]:
    """The example's endpoint, running; its port."""
    port = free_port()
    process = subprocess.Popen([str(sdk_python), str(EXAMPLE / "upper.py"), "--port", str(port)])
    try:
        wait_for_port(port, 20)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def beside(user_function: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A `scurry up` whose module.yaml binds the user function beside ours, and a model that it answers for."""
    folder = tmp_path_factory.mktemp("interop")
    bound = (EXAMPLE / "module.yaml").read_text().replace("8200", str(user_function))
    module = folder / "module.yaml"
    module.write_text((ROOT / "module.yaml").read_text() + "---\n" + bound)
    stack = Stack(folder / "up", "--module", str(module), "--workers", "1")
    try:
        stack.run("models", "register", "shout", "--runtime", "function", "--uri", "example/upper")
        yield stack
    finally:
        stack.stop()


def texts(*words: str) -> np.ndarray:
    """A tensor of text."""
    return np.array(words, dtype=object)


async def test_answer_comes_back_to_a_client(beside: Stack) -> None:
    """The user function's answer reaches the caller that asked the model, stamped with its version."""
    async with Client(beside.redis_url) as client:
        answer = await client.infer("shout", {"text": texts("ships", "größe")}, version="1")
    assert list(answer["text"]) == [b"SHIPS", "GRÖSSE".encode()]


async def test_every_caller_gets_its_own(beside: Stack) -> None:
    """Many requests at a time each get the answer to what they asked, more than one lane's worth of them."""
    async with Client(beside.redis_url) as client:
        words = [f"word {number}" for number in range(300)]
        answers = await asyncio.gather(*(client.infer("shout", {"text": texts(word)}) for word in words))
    assert [answer["text"][0].decode() for answer in answers] == [word.upper() for word in words]


async def test_its_refusal_is_an_error(beside: Stack) -> None:
    """An error that the user function answers has its code at the caller, and the user function goes on."""
    async with Client(beside.redis_url) as client:
        with pytest.raises(InvalidRequest, match="tensors of text"):
            await client.infer("shout", {"x": np.zeros(3, np.float32)})
        assert list((await client.infer("shout", {"text": texts("on")}))["text"]) == [b"ON"]


def test_plain_redis_client(beside: Stack) -> None:
    """What redis-cli can send is answered in kind: JSON for JSON, on the caller's own stream."""
    inputs = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["plain"]}]}
    with redis.Redis.from_url(beside.redis_url, protocol=2) as door:
        fields = {"model": "shout", "id": "interop-1", "inputs": json.dumps(inputs), "reply": "scurry:replies:interop"}
        door.xadd("scurry:requests", fields)
        ((_, ((_, reply),)),) = door.xread({"scurry:replies:interop": "0"}, block=20_000)
    assert (reply[b"id"], reply[b"status"], reply[b"version"]) == (b"interop-1", b"ok", b"1")
    assert json.loads(reply[b"reply"])["outputs"][0]["data"] == ["PLAIN"]
