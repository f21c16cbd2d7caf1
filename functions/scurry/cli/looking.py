"""A repository as it is looked at again and again, and what follows.

A version is registered once two looks in a row found the same names, sizes and times of its files: what is still being
copied changes. It is tried again when its files change, whatever came of it before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scurry.cli.repository import Found, holds_graph, is_registered, policy_beside, registration, scan
from scurry.wire.messages_pb2 import Unregister, Update

Place = tuple[str, str]
ABOVE = "config.pbtxt"
"""As Triton has it, in the directory above a version's."""
Listing = tuple[tuple[str, int, int], ...]
View = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Look:
    """What lay in a repository at one time: the files of each version, and the policy beside a model's versions."""

    found: Mapping[Place, Found] = field(default_factory=dict)
    files: Mapping[Place, Listing] = field(default_factory=dict)
    policies: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def at(cls, root: Path) -> Look:
        """Look at it now; a version that vanishes under the look is not there. Raises `OSError` for the whole."""
        found = {(one.model, one.version): one for one in scan(root)}
        files = {place: listing(root / place[0] / place[1], root / place[0] / ABOVE) for place in found}
        policies = {name: policy_beside(root / name) for name in {place[0] for place in found}}
        return cls(found, files, {name: policy for name, policy in policies.items() if policy})


def listing(folder: Path, above: Path | None = None) -> Listing:
    """Names, sizes and times of all files below, and of the one above if it is there.

    Empty where one of them went meanwhile, or there are none below: only a graph is whole without, as Triton has it.
    """
    try:
        paths = [Path(base, name) for base, _, names in os.walk(folder, followlinks=True) for name in names]
        told = above is not None and above.is_file() and (paths or holds_graph(above.parent))
        beside = [above] if above is not None and told else []
        stats = [(path, path.stat()) for path in (*paths, *beside)]
    except OSError:
        return ()
    return tuple(sorted((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats))


class Watcher:
    """What was seen last and tried, of one repository."""

    def __init__(self, root: Path, *, prune: bool = False) -> None:
        self.root, self._prune = root, prune
        self._last: Look | None = None
        self._tried: dict[Place, Listing] = {}
        self._told: dict[str, dict[str, Any]] = {}  # policies
        self.unsettled = False  # the last two looks differ in something that is there

    def updates(self, look: Look, view: dict[str, dict[str, Any]]) -> list[Update]:
        """What the registry is to be told after another look: first what is new, then policies, then what vanished."""
        last, self._last = self._last, look
        if last is None:
            return []
        calm = [place for place, files in look.files.items() if files and last.files.get(place) == files]
        self.unsettled = any(last.files.get(place) != files for place, files in look.files.items())
        due = [place for place in calm if self._tried.get(place) != look.files[place]]
        new = [look.found[place] for place in due if not is_registered(look.found[place], view)]
        self._tried |= {place: look.files[place] for place in due}
        updates = [registration(found) for found in new]
        updates += self._policies(look, view)
        return updates + (self._vanished(last, look, view) if self._prune else [])

    @property
    def seen(self) -> bool:
        """Whether the last look found any version."""
        return bool(self._last and self._last.files)

    @property
    def empty(self) -> list[Place]:
        """Versions in which the last look found no files, or one that leads nowhere."""
        return [place for place, files in self._last.files.items() if not files] if self._last else []

    def _policies(self, look: Look, view: View) -> list[Update]:
        """A policy is told once its model is there, and when it changes."""
        told = []
        for name, policy in sorted(look.policies.items()):
            known = name in view or any(place[0] == name for place in self._tried)
            in_force = self._told.get(name) or view.get(name, {}).get("policy")
            if known and in_force != policy:
                self._told[name] = policy
                told.append(Update(model=name, json=json.dumps({"policy": policy})))
        return told

    def _vanished(self, last: Look, look: Look, view: View) -> list[Update]:
        """Versions that were registered from here and were not there twice; with their aliases, in use or not."""
        updates = []
        for name, record in view.items():
            for one in record.get("versions", ()):
                place = (name, one["version"])
                mine = one.get("uri") == str(self.root) and one.get("state") != "draining"
                if mine and place not in look.found and place not in last.found:
                    self._tried.pop(place, None)
                    gone = Unregister(version=one["version"], force=True)
                    updates.append(Update(model=name, unregister=gone))
        return updates

    def __repr__(self) -> str:
        return f"<Watcher of {self.root}: {len(self._tried)} versions tried>"
