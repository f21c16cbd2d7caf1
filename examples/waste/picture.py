"""The plot: what the cameras saw, who answered, and how much of it was right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from examples.running import plot, save
from examples.waste.images import WASTE, waste
from examples.waste.stages import Stage

SHOWN = 3


def picture(stages: Sequence[Stage], file: Path) -> None:
    """Pictures of each kind beside the stages of the rollout."""
    figure, (shown, rollout) = plot(1, 2, (9, 3.4))
    shown.axis("off")
    for place, kind in enumerate(WASTE):
        for row in range(SHOWN):
            inset = shown.inset_axes((place / len(WASTE), 1 - (row + 1) * 0.32, 0.23, 0.27))
            inset.imshow(waste(place + row * len(WASTE)))
            inset.axis("off")
            if not row:
                inset.set_title(kind, fontsize=8)
    names = [stage.name.replace(", ", ",\n") for stage in stages]
    shares = [[stage.by(version) / len(stage.told) for stage in stages] for version in ("1", "2")]
    rollout.bar(names, shares[0], color="#c9c9c9", label="answered by 1")
    rollout.bar(names, shares[1], bottom=shares[0], color="#9cc3e6", label="answered by 2")
    rollout.plot(names, [stage.right() for stage in stages], "o-", color="#b03a2e", label="right")
    rollout.set(ylim=(0, 1.05), ylabel="share of the pictures")
    rollout.tick_params(axis="x", labelsize=8)
    rollout.legend(fontsize=8, loc="lower left")
    rollout.spines[["top", "right"]].set_visible(False)
    save(figure, file)
