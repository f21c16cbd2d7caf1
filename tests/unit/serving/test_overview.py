"""The supervisor's own page."""

from __future__ import annotations

import os
import socket

import aiohttp
from tests.conftest import free_port

from scurry.serving.overview import Overview, figures, targets
from scurry.telemetry.prometheus import page

FACTS = {
    "ready": True, "up_url": "http://127.0.0.1:1", "metrics_urls": ["http://127.0.0.1:2/metrics"],
    "functions_url": "http://127.0.0.1:3", "worker_urls": ["http://127.0.0.1:4", "http://127.0.0.1:5"],
    "job_metrics_url": "", "bridge_url": "http://127.0.0.1:7",
    "processes": {
        "worker-0": {"pid": os.getpid(), "state": "running", "restarts": 2},
        "job": {"pid": 0, "state": "restarting", "restarts": 1},
    },
}  # fmt: skip


def test_each_process_has_its_lines():
    """What does not run takes nothing."""
    lines = page(figures(FACTS)).splitlines()
    assert 'scurry_process_running{process="worker-0"} 1' in lines
    assert 'scurry_process_running{process="job"} 0' in lines
    assert 'scurry_process_restarts_total{process="worker-0"} 2' in lines
    with_pools = page(figures(FACTS | {"worker_pools": ["gpu"]})).splitlines()
    assert 'scurry_process_running{process="worker-0",pool="gpu"} 1' in with_pools
    memory = [line for line in lines if line.startswith("scurry_process_resident_memory_bytes")]
    assert len(memory) == 1
    assert float(memory[0].split()[1]) > 1 << 20


def test_prometheus_is_told_every_page():
    """Flink's only while it is on."""
    told = {each["labels"]["component"]: each["targets"] for each in targets(FACTS)}
    assert told == {
        "up": ["127.0.0.1:1"], "gateway": ["127.0.0.1:2"], "functions": ["127.0.0.1:3"],
        "worker": ["127.0.0.1:4", "127.0.0.1:5"], "bridge": ["127.0.0.1:7"],
    }  # fmt: skip
    pools = [each for each in targets(FACTS | {"worker_pools": ["default", "gpu"]}) if "pool" in each["labels"]]
    assert pools == [
        {"targets": ["127.0.0.1:4"], "labels": {"component": "worker", "pool": "default"}},
        {"targets": ["127.0.0.1:5"], "labels": {"component": "worker", "pool": "gpu"}},
    ]
    on = targets(FACTS | {"job_metrics_url": "http://127.0.0.1:6/metrics"})
    assert on[-1] == {"targets": ["127.0.0.1:6"], "labels": {"component": "job"}}


async def test_both_are_served_and_a_taken_port_is_done_without(caplog):
    """The supervisor starts all the same."""
    overview, port = Overview(lambda: FACTS), free_port()
    await overview.open("127.0.0.1", port)
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/targets") as answer:
                assert await answer.json() == targets(FACTS)
            async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                assert "scurry_ready 1" in await answer.text()
    finally:
        await overview.close()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = Overview(lambda: FACTS)
        await other.open("127.0.0.1", taken.getsockname()[1])
        await other.close()
    assert "metrics are not served" in caplog.text
