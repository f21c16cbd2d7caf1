"""Keys of the inference function: lanes, solos, sequences, loads.

    model@version/<n>            Lane       requests of a version, in order
    model@version/solo/<token>   Solo       one request that must share its call with no other
    model@version/seq/<id>       Sequence   the requests of one sequence, with its state
    model@version/load/<n>       Load       Load and Unload, never behind requests; goes where lane n goes
    model@version/load/all       Load       the same, for every worker

`tests/vectors/addresses.json` holds this file and `io.scurry.job.Addresses` together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_NUMBER: Final = r"0|[1-9][0-9]{0,4}"
_ADDRESS: Final = re.compile(
    rf"(?P<model>{_NAME})@(?P<version>{_NAME})/"
    rf"(?:(?P<lane>{_NUMBER})|solo/(?P<token>.+)|seq/(?P<id>.+)|load/(?:(?P<load>{_NUMBER})|all))",
    re.DOTALL,
)
REMEMBERED: Final = 16_384
"""Keys whose addresses are kept; lanes come again and again."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One of the queues in front of a version."""

    model: str
    version: str
    lane: int

    def __str__(self) -> str:
        return lane_key(self.model, self.version, self.lane)


@dataclass(frozen=True, slots=True)
class Solo:
    """One request by itself; the transport never coalesces it. The token is anything that no other request has."""

    model: str
    version: str
    token: str

    def __str__(self) -> str:
        return f"{self.model}@{self.version}/solo/{self.token}"


@dataclass(frozen=True, slots=True)
class Sequence:
    """The requests of one sequence."""

    model: str
    version: str
    id: str

    def __str__(self) -> str:
        return f"{self.model}@{self.version}/seq/{self.id}"


@dataclass(frozen=True, slots=True)
class Load:
    """Loads and unloads of a version, at the worker of one lane; without a lane at every worker."""

    model: str
    version: str
    lane: int | None = None

    def __str__(self) -> str:
        return f"{self.model}@{self.version}/load/{'all' if self.lane is None else self.lane}"


def lane_key(model: str, version: str, lane: int) -> str:
    """The key of a lane."""
    return f"{model}@{version}/{lane}"


Address = Lane | Solo | Sequence | Load


@lru_cache(maxsize=REMEMBERED)
def parse(text: str) -> Address | None:
    """The address that a key spells; None when it is none."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return None
    model, version = found["model"], found["version"]
    if found["lane"] is not None:
        return Lane(model, version, int(found["lane"]))
    if found["token"] is not None:
        return Solo(model, version, found["token"])
    if found["id"] is not None:
        return Sequence(model, version, found["id"])
    return Load(model, version, int(found["load"]) if found["load"] is not None else None)
