"""What a model with a process of its own looks like, without the process."""

from __future__ import annotations

from scurry.inference.isolated.model import FREE_STARTS, LONGEST_PAUSE_SECONDS, isolated, pause
from scurry.runtimes.python import PythonRuntime


def test_it_bears_the_name_of_its_runtime():
    """One class for each, whatever it is asked how often."""
    cls = isolated(PythonRuntime)
    assert (cls.name, cls.framework, cls.takes_parameters) == ("python", "Python", True)
    assert cls is isolated(PythonRuntime)
    assert not cls.runs_code


def test_a_process_that_keeps_ending_is_started_ever_more_seldom():
    """The first few times at once."""
    pauses = [pause(starts) for starts in range(FREE_STARTS + 8)]
    assert pauses[:FREE_STARTS] == [0.0] * FREE_STARTS
    assert pauses == sorted(pauses)
    assert (pauses[FREE_STARTS], pauses[-1]) == (0.5, LONGEST_PAUSE_SECONDS)
