"""How a child process is kept in its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scurry.inference.isolated import confine

HEAD = "import os, sys, time; from scurry.inference.isolated.confine import *\n"


def program(text: str) -> subprocess.CompletedProcess[str]:
    """What a process of its own does."""
    return subprocess.run([sys.executable, "-c", HEAD + text], capture_output=True, text=True, check=False, timeout=60)


def test_memory_has_a_limit_from_now_on():
    """What is more than that raises."""
    more = "try: bytearray(256 << 20)\nexcept MemoryError: print('full')"
    done = program(f"limit_memory(64 << 20); a = bytearray(16 << 20)\n{more}")
    assert done.stdout == "full\n"


def test_what_belongs_to_a_process_alone_is_told():
    """It grows with what is written to, and leaves out what libraries share."""
    done = program("before = own_bytes(); a = bytearray(32 << 20); a[:] = b'1' * len(a); print(own_bytes() - before)")
    assert int(done.stdout) >= 32 << 20
    assert confine.own_bytes() > 0


def test_it_is_nicer_and_first_to_go():
    """And ends at once when its worker ended before it could be told."""
    told = "print(os.nice(0) - n, open('/proc/self/oom_score_adj').read())"
    done = program(f"n = os.nice(0); yield_to_the_worker(os.getppid()); {told}")
    assert done.stdout.split() == ["5", "1000"]
    done = program("yield_to_the_worker(os.getpid()); print('lives')")
    assert (done.stdout, done.returncode) == ("", 1)


def test_it_ends_with_its_worker():
    """Killed or not: the system sees to it."""
    inner = f"{HEAD}yield_to_the_worker(); print(os.getpid(), flush=True); time.sleep(60)"
    outer = (
        "import subprocess\n"
        f"child = subprocess.Popen([sys.executable, '-c', {inner!r}], stdout=subprocess.PIPE)\n"
        "print(child.stdout.readline().decode(), flush=True); os.kill(os.getpid(), 9)"
    )
    pid = int(program(outer).stdout)
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0]
        except OSError:
            return
        if state == "Z":  # ended; whoever inherited it has not looked yet
            return
    raise AssertionError("it lives")
