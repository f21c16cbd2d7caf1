"""The functions process: ready, and gone when told."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.conftest import clean_environment, free_port

from scurry.serving.processes import Child, Plan
from scurry.serving.readiness import http_says_ready, until


async def test_it_serves_until_it_is_asked_to_leave(tmp_path: Path) -> None:
    """Ready once it listens; on SIGTERM it says what it had and ends with 0."""
    port = free_port()
    command = [sys.executable, "-m", "scurry", "functions", "--port", str(port), "--drain-s", "1"]
    child = Child(Plan("functions", command, tmp_path / "f.log", clean_environment()))
    await child.start()
    try:
        await until(lambda: http_says_ready("127.0.0.1", port, "/readyz"), child, "functions", 60)
        os.kill(child.pid, signal.SIGTERM)
        assert await asyncio.wait_for(child.end(), 20) == 0
        assert "functions leave" in child.said()
    finally:
        child.kill()
