"""What a process takes of its machine."""

import os
import subprocess
import sys

from scurry.telemetry.process import own_figures, usage


def test_our_own_usage_is_told():
    """Memory, time and threads; by number the same as without."""
    ours, named = usage(), usage(os.getpid())
    assert ours is not None
    assert named is not None
    assert ours.resident_bytes > 1 << 20
    assert ours.threads >= 1
    assert named.cpu_seconds >= ours.cpu_seconds
    names = {each.name for each in own_figures()}
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= names


def test_a_process_that_has_gone_has_none():
    """It is no error."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert usage(child.pid) is None
