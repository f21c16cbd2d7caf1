"""What the bridge says of itself."""

from __future__ import annotations

import aiohttp

from scurry.serving.bridge_page import BridgePage
from scurry.telemetry.prometheus import Figure


async def test_alive_ready_and_figures() -> None:
    """Not ready while Redis is away; a port that is taken is done without."""
    ready = [False]
    page = BridgePage(lambda: ready[0], lambda: [Figure("scurry_bridge_moved_total", "counter", "Moved", 7)])
    port = await page.open("127.0.0.1", 0)
    other = BridgePage(lambda: True, list)
    assert await other.open("127.0.0.1", port) == 0
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def told(path: str) -> tuple[int, str]:
            async with session.get(path) as answer:
                return answer.status, await answer.text()

        assert [(await told(path))[0] for path in ("/healthz", "/readyz")] == [200, 503]
        ready[0] = True
        assert (await told("/readyz"))[0] == 200
        text = (await told("/metrics"))[1]
        assert "scurry_bridge_moved_total 7" in text
        assert "process_resident_memory_bytes" in text
    await page.close()
    await other.close()
