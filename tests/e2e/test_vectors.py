"""The example of records that become vectors, and find their like."""

from __future__ import annotations

from pathlib import Path

from tests.examples import figures_of


def test_every_record_is_embedded_as_the_encoder_itself_does_it(tmp_path: Path) -> None:
    """None differs; the graph finds nearly all neighbours, most of them of the same kind: by chance a twelfth."""
    figures = figures_of("vectors", tmp_path)
    assert (figures["records"], figures["differing"]) == (2000, 0)
    recall = list(figures["recall"].values())
    assert recall[0] == 1
    assert recall[-1] > 0.95
    assert figures["alike"] > 0.5
