"""What was answered in each stage of a rollout, and by which version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from examples.waste.ask import Told

from scurry.cli.output import table

VERSIONS = ("1", "2")


@dataclass(frozen=True)
class Stage:
    """One stage and its answers."""

    name: str
    told: Sequence[Told]

    def by(self, version: str) -> int:
        """How many pictures this version answered."""
        return sum(one.version == version for one in self.told)

    def right(self, version: str = "") -> float | None:
        """Of its answers, or all, those that are right; None where there are none."""
        of = [one.right for one in self.told if version in ("", one.version)]
        return sum(of) / len(of) if of else None

    @property
    def median_ms(self) -> int:
        """Half of the pictures were answered within so many milliseconds."""
        return round(1000 * median(one.seconds for one in self.told))

    def cameras(self, version: str) -> set[int]:
        """The cameras that were answered by this version."""
        return {one.camera for one in self.told if one.version == version}


def rows(stages: Sequence[Stage]) -> str:
    """A line for each stage."""
    headers = ("STAGE", "PICTURES", "BY 1", "BY 2", "RIGHT OF 1", "RIGHT OF 2", "RIGHT", "MEDIAN MS")
    shares = [[percent(stage.right(each)) for each in (*VERSIONS, "")] for stage in stages]
    return table(headers, [
        (stage.name, len(stage.told), *map(stage.by, VERSIONS), *right, stage.median_ms)
        for stage, right in zip(stages, shares, strict=True)
    ])  # fmt: skip


def percent(share: float | None) -> str:
    """A share as people write it."""
    return "" if share is None else f"{share:.1%}"


def mistakes(stages: Sequence[Stage]) -> list[str]:
    """What should not be, in sentences."""
    found = []
    for stage in stages:
        torn = stage.cameras("1") & stage.cameras("2")
        if torn:
            found.append(f"{stage.name}: {len(torn)} cameras were answered by both versions.")
        if sum(map(stage.by, VERSIONS)) != len(stage.told):
            found.append(f"{stage.name}: an answer carries a version that nobody registered.")
    for before, after in pairwise(stages):
        back = before.cameras("2") & after.cameras("1")
        if back:
            found.append(f"{after.name}: {len(back)} cameras went back to version 1.")
    return found
