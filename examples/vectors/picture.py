"""The plot: the embeddings in a plane, and what each way of searching finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from examples.running import plot
from examples.vectors.records import Floats, Records
from examples.vectors.search import Search

SHOWN = 1500


def picture(embeddings: Floats, known: Records, found: Sequence[Search], file: Path) -> None:
    """Embeddings along the two directions in which they differ most, coloured by kind, beside recall over speed."""
    figure, (plane, speed) = plot(1, 2, (9, 3.6))
    centred = embeddings - embeddings.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    x, y = (centred[:SHOWN] @ directions[:2].T).T
    plane.scatter(x, y, s=4, c=known.kinds[:SHOWN], cmap="tab20")
    plane.set(title=f"{SHOWN:,} of the embeddings, by kind of customer", xticks=[], yticks=[])
    truth = found[0].found
    speed.plot([each.per_second for each in found[1:]], [each.recall(truth) for each in found[1:]], "o-", label="graph")
    speed.plot(found[0].per_second, 1, "s", color="#b03a2e", label="every one")
    for each in found[1:]:
        at = (each.per_second, each.recall(truth))
        speed.annotate(each.how, at, (-6, -10), textcoords="offset points", fontsize=7, ha="right")
    speed.set(xlabel="searches/s", ylabel="recall@10", title="Nearest neighbours")
    speed.legend(fontsize=8, loc="lower left")
    speed.grid(visible=True, alpha=0.3)
    figure.savefig(file, dpi=70)
