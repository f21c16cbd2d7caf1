"""The version that a request asks for, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from scurry.router.lanes import Lanes
from scurry.router.policy import Hope, Refusal
from scurry.router.routes import RouteTable
from scurry.wire.names import MODEL_NAME


def resolve(table: RouteTable, asked: str) -> Lanes | Refusal:
    """The lanes of the version behind a version or alias that a request names."""
    routes = table.routes
    version = routes.aliases.get(asked, asked)
    lanes = table.lanes(version)
    if lanes is not None and not lanes.draining:
        return lanes
    if version in routes.pending:
        return Refusal("model_not_ready", f"Version {asked!r} is registered but not ready.", Hope.LOADING)
    if version in routes.failed:
        return Refusal("model_not_ready", f"Version {asked!r} has failed: its record says why.", Hope.MOMENT)
    if version in routes.unloaded:
        return Refusal("model_not_ready", f"Version {asked!r} is registered but not in memory: load it.", Hope.MOMENT)
    hope = Hope.MOMENT if MODEL_NAME.fullmatch(asked) else Hope.NONE  # no registration can bring what it cannot name
    if not table.known:
        return Refusal("model_not_found", "No model of this name is registered.", hope)
    return Refusal("version_not_found", f"No version or alias {asked!r}{_choice(_names(table))}", hope)


def nothing_ready(table: RouteTable) -> Refusal:
    """Why a request that names no version finds none."""
    if table.known:
        hope = Hope.LOADING if table.routes.pending else Hope.MOMENT
        what = "takes requests that name none" if any(not lanes.draining for lanes in table) else "is ready"
        return Refusal("model_not_ready", f"The model is registered but no version of it {what}.", hope)
    return Refusal("model_not_found", "No model of this name is registered.", Hope.MOMENT)


def _names(table: RouteTable) -> Sequence[str]:
    ready = [lanes.version for lanes in table if not lanes.draining]
    return [*ready, *sorted(table.routes.aliases)]


def _choice(names: Sequence[str]) -> str:
    return f"; there are {', '.join(names)}." if names else "."
