"""The example of X-rays that go through the queue as a folder."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.examples import figures_of


@pytest.mark.skipif(not find_spec("torch"), reason="needs PyTorch")
def test_every_picture_is_answered_as_the_network_alone_answers_it(tmp_path: Path) -> None:
    """None is missing, none differs, and what is found is mostly there: by chance half would be."""
    alone, queue = figures_of("xray", tmp_path)["runs"]
    assert (alone["pictures"], queue["pictures"]) == (60, 120)
    assert queue["differing"] == 0
    assert queue["accuracy"] > 0.8
