"""A loop that stands still is noticed."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading

from scurry.serving.watchdog import Watchdog


async def test_a_loop_that_stands_still_is_said():
    """With the place where it stands; a loop that turns is left alone."""
    said, lines = threading.Event(), []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())
            said.set()

    listener = Listener()
    logging.getLogger("scurry.serving.watchdog").addHandler(listener)
    watchdog = Watchdog(look_seconds=0.01, end_seconds=60)
    watchdog.start()
    try:
        for _ in range(20):
            await asyncio.sleep(0)
        assert said.wait(10), "the loop stands here"
        assert "test_a_loop_that_stands_still_is_said" in lines[0]
        assert repr(watchdog).startswith("<Watchdog after ")
    finally:
        watchdog.stop()
        logging.getLogger("scurry.serving.watchdog").removeHandler(listener)


def test_a_loop_that_stands_for_good_ends_its_process():
    """Even when the interpreter is held: the stacks are on stderr, the status is not 0."""
    program = (
        "import asyncio, re\n"
        "from scurry.serving.watchdog import Watchdog\n"
        "async def main():\n"
        "    Watchdog(look_seconds=0.05, end_seconds=0.3).start()\n"
        "    await asyncio.sleep(0.5)\n"
        "    re.match('(a+)+$', 'a' * 60 + 'b')\n"  # holds the interpreter for years
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert "main" in done.stderr
