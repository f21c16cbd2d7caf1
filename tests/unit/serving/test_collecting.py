"""How often a process looks for cycles."""

from __future__ import annotations

import subprocess
import sys

from scurry.serving.collecting import YOUNG

SCRIPT = """
import gc
from scurry.serving.collecting import settle

settle()
looks = []
gc.callbacks.append(lambda phase, info: looks.append(phase))
held = [[] for _ in range(20_000)]
assert (gc.isenabled(), gc.get_freeze_count() > 0, looks) == (True, True, []), looks


class Cycle:
    gone = 0

    def __init__(self):
        self.itself = self

    def __del__(self):
        Cycle.gone += 1


for _ in range(%d):
    Cycle()
print(Cycle.gone)
"""


def test_young_objects_are_looked_at_seldom_and_cycles_go_in_the_end() -> None:
    """Twenty thousand that live are looked at by nobody; cycles never pile up beyond the bound."""
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT % (2 * YOUNG)], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(told.stdout) > YOUNG / 2
