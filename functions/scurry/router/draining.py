"""New routes put in force, and versions on their way out."""

from __future__ import annotations

from scurry.router import counting, order, policy, sending
from scurry.router.lanes import Lanes
from scurry.router.replaced import left_behind
from scurry.router.routing_pass import RoutingPass
from scurry.wire.messages_pb2 import Drained, Routes
from scurry.wire.names import REGISTRY, ROUTER, TYPE_PREFIX


def switch(routing: RoutingPass, routes: Routes) -> None:
    """Put routes in force, announce them, and begin to drain the versions they retire."""
    before = {(lanes.version, lanes.generation) for lanes in routing.table if lanes.draining}
    staying = {route.version for route in routes.versions}
    replaced = {(lanes.version, lanes.replaced) for lanes in routing.table}
    for lanes in routing.table:
        if lanes.version not in staying:  # it broke: nobody waits for it to drain
            counting.tell_of(routing, lanes)
    ways = order.ways(routing.table.routes)
    routing.table.replace(routes)
    if order.ways(routing.table.routes) != ways:
        order.wait_until(routing.table, routing.now + routing.bounds.hold_ms)
    routing.answers.add(routes.announce.replies)
    for lanes in routing.table:
        if lanes.draining and (lanes.version, lanes.generation) not in before and not lanes.idle:
            _flush(routing, lanes, lanes.generation)
        elif (lanes.version, lanes.replaced) not in replaced and not lanes.idle:
            _flush(routing, lanes, lanes.replaced)


def _flush(routing: RoutingPass, lanes: Lanes, generation: int) -> None:
    """Ask the lanes that owe a report, and do not wait for ever."""
    sending.ask_for_reports(routing.call, routing.table, lanes)
    limit = Drained(version=lanes.version, generation=generation, expired=True)
    routing.call.send_after(policy.DRAIN_MS, ROUTER, routing.model, f"{TYPE_PREFIX}Drained", limit.SerializeToString())


def stop_waiting(routing: RoutingPass, limit: Drained) -> None:
    """The limit has passed: if the version or what it replaced still drains, the registry unloads it anyway."""
    lanes = routing.table.lanes(limit.version)
    if lanes is None:
        return
    if lanes.draining and lanes.generation == limit.generation and not lanes.idle:
        _tell(routing, lanes, lanes.generation, expired=True)
    elif lanes.replaced and lanes.replaced == limit.generation:
        _tell(routing, lanes, left_behind(lanes.counters, expired=True), expired=True)


def report(routing: RoutingPass) -> None:
    """Tell the registry of each draining version, or former spec of one, that has nothing outstanding any more."""
    if not routing.table.settled:
        return
    for lanes in routing.table:
        if lanes.draining and lanes.idle:
            _tell(routing, lanes, lanes.generation, expired=False)
        elif lanes.replaced:
            generation = left_behind(lanes.counters)
            if generation:
                _tell(routing, lanes, generation, expired=False)


def _tell(routing: RoutingPass, lanes: Lanes, generation: int, *, expired: bool) -> None:
    """The registry may unload a version, or the spec that was replaced; of one that goes it hears first what it did."""
    if lanes.draining:
        counting.tell_of(routing, lanes)
    routing.table.changed = True
    drained = Drained(version=lanes.version, epoch=routing.table.epoch, expired=expired, generation=generation)
    routing.call.send(REGISTRY, routing.model, f"{TYPE_PREFIX}Drained", drained.SerializeToString())
