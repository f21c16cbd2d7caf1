"""Examples run as their readers run them, and what has to be so after each."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT


def command_lines() -> list[str]:
    """Every process of this machine, as it was started."""
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # ended meanwhile
            lines.append(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return lines


def figures_of(name: str, out: Path) -> dict[str, Any]:
    """Run the reduced form of an example: it passes, draws its plot and leaves nothing running; its figures."""
    command = [sys.executable, "-m", f"examples.{name}", "--quick", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert not [line for line in command_lines() if f"scurry-{name}-" in line]
    figures: dict[str, Any] = json.loads((out / f"{name}.json").read_text())
    return figures
