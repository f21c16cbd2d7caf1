"""The plot: the embeddings in a plane, and what each way of searching finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from examples.running import plot, save
from examples.vectors.records import Floats, Records
from examples.vectors.search import NEAREST, Search

SHOWN = 1500


def picture(embeddings: Floats, known: Records, found: Sequence[Search], file: Path) -> None:
    """Embeddings along the two directions in which they differ most, coloured by kind, beside recall over speed."""
    figure, (plane, speed) = plot(1, 2, (9, 3.6))
    centred = embeddings - embeddings.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    x, y = (centred[:SHOWN] @ directions[:2].T).T
    plane.scatter(x, y, s=4, c=known.kinds[:SHOWN], cmap="tab20")
    plane.set(title=f"{SHOWN:,} of the embeddings, by kind of customer", xticks=[], yticks=[])
    points = [(each.per_second / 1000, each.recall(found[0].found)) for each in found]
    speed.plot(*points[0], "s", color="#b03a2e", label="every one")
    speed.plot(*zip(*points[1:], strict=True), "o-", label="graph")
    for each, at in zip(found[1:], points[1:], strict=True):
        width = each.how.removeprefix("graph, ")
        speed.annotate(width, at, (-6, -10), textcoords="offset points", fontsize=7, ha="right")
    speed.set(xlabel="thousand searches/s", ylabel=f"recall@{NEAREST}", title="Nearest neighbours")
    speed.legend(fontsize=8, loc="lower left")
    speed.grid(visible=True, alpha=0.3)
    save(figure, file)
