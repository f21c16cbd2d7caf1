"""The example of a better model that takes over, camera by camera."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.examples import figures_of


@pytest.mark.skipif(not find_spec("tensorflow"), reason="needs TensorFlow")
def test_each_version_answers_its_share_and_the_second_is_better(tmp_path: Path) -> None:
    """Every picture is answered, by the versions that the stage names; by chance a quarter would be right."""
    stages = figures_of("waste", tmp_path)["stages"]
    answered = [tuple(stage["versions"][each]["answered"] for each in "12") for stage in stages]
    assert [sum(each) for each in answered] == [400] * 4
    assert answered[0] == (400, 0)
    assert 0 < answered[1][1] < answered[2][1] < 400
    assert answered[3] == (0, 400)
    assert stages[3]["right"] > 0.6
    assert stages[3]["right"] > stages[0]["right"] + 0.1
