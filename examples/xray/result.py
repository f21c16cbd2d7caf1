"""What one way of asking found, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from examples.xray.images import LABELS, truth

MANY = 100_000


@dataclass(frozen=True)
class Found:
    """The answer to one picture."""

    label: str
    share: float


@dataclass(frozen=True)
class Run:
    """Every answer by the name of its file."""

    how: str
    pictures: int
    seconds: float
    found: Mapping[str, Found] = field(repr=False)

    @property
    def per_second(self) -> float:
        """Pictures a second."""
        return self.pictures / self.seconds

    @property
    def minutes(self) -> float:
        """What a hundred thousand pictures take at that rate."""
        return MANY / self.per_second / 60

    @property
    def accuracy(self) -> float:
        """The share of pictures whose label is the true one."""
        right = [one.label == LABELS[truth(int(name[-10:-4]))] for name, one in self.found.items()]
        return sum(right) / self.pictures

    def differing(self, other: Run) -> int:
        """How many pictures that both saw have another label, or a probability that is not as good as equal."""
        both = self.found.keys() & other.found.keys()
        return sum(
            self.found[name].label != other.found[name].label
            or abs(self.found[name].share - other.found[name].share) > 1e-3
            for name in both
        )
