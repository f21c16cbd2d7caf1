"""Steps of sequences keep their order when the routes change.

A step that went by the former routes may have to look for its sequence, from version to version, while the next one
finds it at once and is computed first. After a restore they come back to back, their callers having their answers, and
so they may from a caller who does not wait. So after a change all steps wait for those that are on their way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scurry.router.routes import RouteTable
    from scurry.wire.messages_pb2 import Routes


def ways(routes: Routes) -> object:
    """What decides where a step goes: where it differs, another way may be taken."""
    versions = [(each.version, each.weight, each.draining, each.sequences) for each in routes.versions]
    return versions, dict(routes.aliases), routes.experiment


def wait_until(table: RouteTable, until: int) -> None:
    """The routes have changed: steps that come now wait for those on their way, at most until then."""
    if table.sequences and _on_their_way(table):
        table.state.steps_wait_until, table.changed = until, True


def is_behind(table: RouteTable, now: int) -> bool:
    """Whether steps are on their way that went by former routes."""
    until = table.state.steps_wait_until
    if not until:
        return False
    if now < until and _on_their_way(table):
        return True
    table.state.steps_wait_until, table.changed = 0, True
    return False


def _on_their_way(table: RouteTable) -> bool:
    return any(lanes.counters.away for lanes in table)
