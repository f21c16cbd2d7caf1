"""Lanes that a version asks for while requests pile up, and gives back.

It asks the registry, which has the next worker load the version first; until then the lanes that there are go on alone.
Every so often it looks whether fewer would have done. A lane is asked for when two model calls wait on each, and given
back when what waited at most fits one call on each of the others: between the two nothing changes.
"""

from __future__ import annotations

from typing import Final

from scurry.router.lanes import Lanes
from scurry.router.routing_pass import RoutingPass
from scurry.wire.messages_pb2 import LanesLook, LanesWanted
from scurry.wire.names import REGISTRY, ROUTER, TYPE_PREFIX

LOOK_MS: Final = 30_000
LANES_LOOK: Final = f"{TYPE_PREFIX}LanesLook"
LANES_WANTED: Final = f"{TYPE_PREFIX}LanesWanted"


def is_crowded(outstanding: int, lanes: int, call: int) -> bool:
    """Whether more than two model calls of so many requests wait on each lane."""
    return outstanding > 2 * lanes * call


def is_spare(peak: int, lanes: int, call: int) -> bool:
    """Whether one lane less would have had no more than a model call on each."""
    return lanes > 1 and peak <= (lanes - 1) * call


def watch_all(routing: RoutingPass) -> None:
    """Watch the versions of this pass whose number of lanes may change."""
    for lanes in routing.table.elastic:
        watch(routing, lanes)


def watch(routing: RoutingPass, lanes: Lanes) -> None:
    """Ask for a lane when requests pile up. `lanes_wanted` above what there is: it was asked for."""
    counters, count, outstanding = lanes.counters, lanes.route.lanes, sum(lanes.outstanding)
    if outstanding > counters.peak:
        counters.peak = outstanding
        routing.table.changed = True
    if counters.lanes_wanted > count or count >= lanes.route.most_lanes:
        return
    if is_crowded(outstanding, count, lanes.room.call):
        _ask(routing, lanes, count + 1)
        if not counters.looking:
            _look_later(routing, lanes)


def look(routing: RoutingPass, told: LanesLook) -> None:
    """See whether its lanes are needed; when the registry leaves it the lanes that it gave back, look no more."""
    lanes = routing.table.lanes(told.version)
    if lanes is None:
        return
    counters, count = lanes.counters, lanes.route.lanes
    wanted, counters.looking, routing.table.changed = counters.lanes_wanted, False, True
    if not count or lanes.draining or 0 < wanted < count:
        counters.lanes_wanted = 0
        return
    counters.lanes_wanted = 0
    if wanted > count:  # a load may have failed
        if count < lanes.route.most_lanes and is_crowded(counters.peak, count, lanes.room.call):
            _ask(routing, lanes, count + 1)
    elif is_spare(counters.peak, count, lanes.room.call):
        _ask(routing, lanes, count - 1)
    counters.peak = sum(lanes.outstanding)
    _look_later(routing, lanes)


def _ask(routing: RoutingPass, lanes: Lanes, count: int) -> None:
    lanes.counters.lanes_wanted = count
    routing.table.changed = True
    wanted = LanesWanted(version=lanes.version, generation=lanes.generation, lanes=count)
    routing.call.send(REGISTRY, routing.model, LANES_WANTED, wanted.SerializeToString())


def _look_later(routing: RoutingPass, lanes: Lanes) -> None:
    lanes.counters.looking = True
    later = LanesLook(version=lanes.version)
    routing.call.send_after(LOOK_MS, ROUTER, routing.model, LANES_LOOK, later.SerializeToString())
