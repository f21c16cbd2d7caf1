"""The plot: what the pictures look like, and how many a second each way took."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from examples.running import bars, plot, save
from examples.xray.images import LABELS, draw, truth
from examples.xray.result import Run

SHOWN = range(4)


def picture(runs: Sequence[Run], file: Path) -> None:
    """Four pictures with what was found in them, above the rates."""
    figure, axes = plot(1, 2, (9, 3.4))
    shown, rates = axes
    shown.axis("off")
    for place, number in enumerate(SHOWN):
        inset = shown.inset_axes((0.5 * (place % 2), 0.5 - 0.5 * (place // 2), 0.46, 0.42))
        inset.imshow(draw(number).resize((128, 128)), cmap="gray")
        found = runs[-1].found[f"chest-{number:06d}.jpg"]
        inset.set_title(f"{LABELS[truth(number)]}; answered {found.label} {found.share:.0%}", fontsize=7)
        inset.axis("off")
    bars(rates, [run.how.replace(" ", "\n", 1) for run in runs], [run.per_second for run in runs], "%.0f")
    rates.set(ylabel="pictures/s")
    rates.tick_params(axis="x", labelsize=8)
    save(figure, file)
