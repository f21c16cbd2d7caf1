"""The digits demo, as `make demo` runs it."""

from __future__ import annotations

import re
import subprocess
import sys
import time

from tests.conftest import ROOT
from tests.examples import command_lines

WARM_S = 90
"""What the demo may take once everything is built."""


def test_digits_demo() -> None:
    """The demo passes, answers every held-back image from every version, and leaves nothing running."""
    start = time.monotonic()
    demo = subprocess.run(
        [sys.executable, "-m", "examples.digits"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    seconds = time.monotonic() - start
    print(demo.stdout)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    rows = re.findall(r"^(digits\S*) +(\d) .*?([\d.]+)% +(\d+) ", demo.stdout, re.MULTILINE)
    assert [(model, version) for model, version, *_ in rows] == [
        ("digits", "1"), ("digits", "2"), ("digits-vino", "1"), ("digits-vino", "2"),
    ]  # fmt: skip
    assert all(float(accuracy) > 93 and count == "450" for *_, accuracy, count in rows)
    assert len(re.findall(r"; [1-9]\d* requests answered meanwhile", demo.stdout)) == 3
    assert not [line for line in command_lines() if "scurry-digits-" in line]
    if seconds > WARM_S:
        print(f"note: the demo took {seconds:.0f} s, more than the {WARM_S} s it should")
