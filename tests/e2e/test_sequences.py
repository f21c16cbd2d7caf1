"""Sequences through the real job, over every door, and through the death of a worker and of the job."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http
from tests.conftest import Stack
from tests.e2e.test_kill import java
from tests.e2e.test_lost_worker import processes
from tests.stateful import GRU, SUM, WIDE, alone, gru, running_sum

from scurry import Client, ScurryError

SEQUENCES, STEPS = 50, 20


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A `scurry up` with two models that keep sequences."""
    folder = tmp_path_factory.mktemp("sequences")
    stack = Stack(folder / "up", "--workers", "2", "--checkpoint-interval", "3s")
    try:
        for name, build, config in (("sum", running_sum, SUM), ("gru", gru, GRU)):
            build(folder / f"{name}.onnx")
            (folder / f"{name}.json").write_text(json.dumps(config))
            stack.register(name, folder / f"{name}.onnx", "1", "--config", str(folder / f"{name}.json"))
        yield stack
    finally:
        stack.stop()


def told(sequence: int | str, at: int, steps: int) -> dict[str, Any]:
    """The parameters of one step."""
    return {"sequence_id": sequence, "sequence_start": at == 0, "sequence_end": at == steps - 1}


async def one_sum(client: Client, sequence: int | str, values: list[float]) -> list[float]:
    """A whole sequence of the running sum, step by step."""
    answers = []
    for at, value in enumerate(values):
        x = np.full((1, 1), value, np.float32)
        y = await client.infer("sum", {"x": x}, timeout=90, parameters=told(sequence, at, len(values)))
        answers.append(float(y["y"][0, 0]))
    return answers


async def test_steps_go_on_from_each_other(own: Stack) -> None:
    """Two sequences, one named by a number and one by text, each with its own sum; what has ended is gone."""
    async with Client(own.redis_url) as client:
        sums = await asyncio.gather(one_sum(client, 7, [1, 2, 3]), one_sum(client, "seven", [10, 20, 30]))
        assert sums == [[1, 3, 6], [10, 30, 60]]
        with pytest.raises(ScurryError, match="There is no sequence '7'") as failure:
            await client.infer("sum", {"x": np.ones((1, 1), np.float32)}, parameters={"sequence_id": 7})
        assert failure.value.code == "sequence_not_found"


async def test_an_id_that_comes_again_is_no_further_step(own: Stack) -> None:
    """It gets its first answer again, and the sum stays what it is."""
    one, name = {"x": np.ones((1, 1), np.float32)}, "twice"
    async with Client(own.redis_url) as client:
        for at, id_ in enumerate(["twice-0", "twice-1", "twice-1", "twice-2"]):
            sent = await client.infer("sum", one, id=id_, keep=60, parameters=told(name, at, 4))
            assert sent["y"].tolist() == [[[1], [2], [2], [3]][at]]


async def test_sequences_survive_the_death_of_worker_and_job(own: Stack, tmp_path: Path) -> None:
    """Fifty at once; a worker and the job are killed in the middle; every answer is that of an undisturbed run."""
    numbers = np.random.default_rng(3).normal(size=(SEQUENCES, STEPS, WIDE)).astype(np.float32)
    begun, answered = asyncio.Event(), 0

    async def one(client: Client, sequence: int) -> list[np.ndarray]:
        nonlocal answered
        answers = []
        for at, row in enumerate(numbers[sequence]):
            parameters = told(f"death-{sequence}", at, STEPS)
            y = await client.infer("gru", {"x": row[np.newaxis]}, timeout=120, parameters=parameters)
            answers.append(y["y"][0])
            answered += 1
            if answered > SEQUENCES * 3:
                begun.set()
            await asyncio.sleep(0.05)
        return answers

    async def kill() -> None:
        await begun.wait()
        os.kill(processes(own)["worker-0"]["pid"], signal.SIGKILL)
        await asyncio.sleep(0.5)
        os.kill(java(own), signal.SIGKILL)

    async with Client(own.redis_url) as client:
        killing = asyncio.create_task(kill())
        sums = [one_sum(client, f"sum-{n}", [float(n), *[1.0] * (STEPS - 1)]) for n in range(SEQUENCES)]
        answers, counted = await asyncio.gather(
            asyncio.gather(*[one(client, sequence) for sequence in range(SEQUENCES)]), asyncio.gather(*sums)
        )
        await killing
    assert counted == [[float(n + at) for at in range(STEPS)] for n in range(SEQUENCES)]
    path = gru(tmp_path / "gru.onnx")
    for sequence in range(SEQUENCES):
        np.testing.assert_allclose(answers[sequence], alone(path, numbers[sequence]), rtol=1e-4, atol=1e-5)


def test_tritons_client(own: Stack) -> None:
    """An unmodified client names sequences by its own arguments, in JSON and binary."""
    url = own.http_url.removeprefix("http://")
    with tritonclient.http.InferenceServerClient(url) as client:
        (given,) = client.get_model_metadata("sum")["inputs"]
        assert given["name"] == "x"
        for binary in (True, False):
            sums = []
            for at in range(4):
                x = tritonclient.http.InferInput("x", [1, 1], "FP32")
                x.set_data_from_numpy(np.full((1, 1), at + 1, np.float32), binary_data=binary)
                flags = {"sequence_id": 11 + binary, "sequence_start": at == 0, "sequence_end": at == 3}
                sums.append(client.infer("sum", [x], **flags).as_numpy("y")[0, 0])
            assert sums == [1, 3, 6, 10]
        x.set_data_from_numpy(np.ones((1, 1), np.float32))
        with pytest.raises(tritonclient.http.InferenceServerException, match="'sequence_id' must say which"):
            client.infer("sum", [x])
