"""A model's routes and what is outstanding on each of its lanes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scurry.router import order, queue
from scurry.router.admission import Admission
from scurry.router.lanes import Lanes
from scurry.router.policy import BEHIND, QUEUED, UNDECIDED, Refusal
from scurry.router.queue import Unrouted
from scurry.router.replaced import leave_behind
from scurry.wire.messages_pb2 import LaneCounters, RouterState, Routes
from scurry.wire.names import LANES


class RouteTable:
    """The state `router` of one model, read from and written to bytes."""

    __slots__ = ("_lanes", "changed", "elastic", "sequences", "settled", "state", "watched", "weights")

    def __init__(self, state: RouterState) -> None:
        self._adopt(state)
        self.changed = False  # to be kept
        self.settled = False  # a version may have fallen idle

    def _adopt(self, state: RouterState) -> None:
        self.state = state
        self._lanes = _lanes(state)
        every = self._lanes.values()
        self.elastic = [each for each in every if each.route.most_lanes and not each.draining]  # grow with a backlog
        self.sequences, self.watched = any(each.sequences for each in every), any(each.watched for each in every)
        self.weights = [(each.version, each.weight) for each in every if each.weight > 0]  # that no request names

    @classmethod
    def load(cls, value: bytes | None) -> RouteTable:
        """The table kept for a model, or an empty one."""
        return cls(RouterState.FromString(value) if value else RouterState())

    def save(self) -> bytes | None:
        """What to keep; None when the model is gone and nothing waits for it, nor may be reported of it."""
        state = self.state
        return state.SerializeToString() if self.known or state.held or state.highest else None

    @property
    def known(self) -> bool:
        """Whether the registry ever told of this model and did not take it back."""
        routes = self.state.routes
        return bool(routes.versions or routes.pending or routes.failed or routes.unloaded)

    @property
    def held(self) -> int:
        """Requests that wait for a route."""
        return self.state.held

    def hold(self, count: int) -> None:
        """So many more requests wait for a route, or fewer."""
        self.state.held = max(0, self.state.held + count)
        self.changed = True

    @property
    def asked(self) -> bool:
        """Whether the registry was asked for routes and has not answered."""
        return self.state.asked > 0

    def ask(self) -> None:
        """The registry is asked for routes."""
        self.state.asked, self.changed = self.state.asked + 1, True

    @property
    def undecided(self) -> bool:
        """Whether a change of the routes may be under way."""
        return self.asked or bool(self.state.routes.pending)

    @property
    def epoch(self) -> int:
        """Grows with each change of the routes."""
        return self.state.routes.epoch

    def replace(self, routes: Routes) -> None:
        """Put new routes in force, keeping the counters of versions that stay; older routes have no effect."""
        if routes.wanted and self.state.asked:
            self.state.asked -= 1
            self.changed = True
        if not self.known or routes.epoch >= self.epoch:
            self._put_in_force(routes)
        if self.state.reread_until and not self.undecided:
            reread(self, 0)

    def _put_in_force(self, routes: Routes) -> None:
        generations = {lanes.version: lanes.generation for lanes in self}
        self._adopt(_changed(self.state, routes))
        for lanes in self:
            former = generations.get(lanes.version, lanes.generation)
            if former != lanes.generation:
                leave_behind(lanes.counters, former)
        self.changed = self.settled = True

    def finish(self, version: str, lane: int, sequence: int | None = None) -> bool:
        """A lane has finished all up to `sequence`; None: one more, as a user function's reply tells. Or had before."""
        lanes = self.lanes(version)
        if lanes is None or not 0 <= lane < len(lanes.counters.done):
            return False
        self.changed = self.settled = True
        return lanes.finish(lane, lanes.counters.done[lane] + 1 if sequence is None else sequence)

    def leave(self, version: str, count: int) -> None:
        """So many requests came back from a lost worker; with a negative count, are under way or answered again."""
        lanes = self.lanes(version)
        away = max(0, lanes.counters.away + count) if lanes is not None else 0
        if lanes is not None and away != lanes.counters.away:
            lanes.counters.away = away
            self.changed = self.settled = True

    def __getitem__(self, version: str) -> Lanes:
        return self._lanes[version]

    @property
    def routes(self) -> Routes:
        """What the registry told last."""
        return self.state.routes

    def __iter__(self) -> Iterator[Lanes]:
        return iter(self._lanes.values())

    def lanes(self, version: str) -> Lanes | None:
        """A version that is routed, draining ones included."""
        return self._lanes.get(version)

    def __repr__(self) -> str:
        parts = [
            f"{lanes.version}: weight {lanes.weight}, {sum(lanes.outstanding)} outstanding"
            + (", draining" if lanes.draining else "")
            for lanes in self._lanes.values()
        ]
        return f"<RouteTable epoch {self.epoch}; {'; '.join(parts) or 'nothing routed'}>"


def reread(table: RouteTable, until: int) -> None:
    """A change that may have been answered is made again; till it is decided all wait, at most until then."""
    table.state.reread_until = until
    table.changed = True


def must_wait(
    table: RouteTable, now: int, hold_ms: int, unrouted: Iterable[Unrouted] = (), *, since: int, replayed: bool
) -> Refusal | None:
    """What a request that waits `since` then, or has just come, has to wait for.

    For a change that is made again, if it is read again itself, or if what is `replayed` meets one that is under way.
    A step of a sequence also for those in the queue before it, and for those that went by former routes.
    """
    until = table.state.reread_until
    if (replayed or until > now) and table.undecided and not (since and now - since >= hold_ms):
        if not until:
            reread(table, now + hold_ms)
        return UNDECIDED
    if not table.sequences:
        return None
    if not (since and now - since >= hold_ms) and order.is_behind(table, now):
        return BEHIND
    queued = not since and queue.stands(table.state, unrouted)
    return (BEHIND if replayed else QUEUED) if queued else None


def _changed(state: RouterState, routes: Routes) -> RouterState:
    """The state under other routes: the counters of versions that stay are kept.

    What a version that goes has outstanding may still be reported: a later one of its name counts on from there.
    """
    counters = {kept.version: kept for kept in state.versions}
    staying = {route.version for route in routes.versions}
    lost = [max(kept.sent) for kept in state.versions if kept.version not in staying and kept.sent != kept.done]
    highest = max([state.highest, *lost])
    fresh = RouterState(
        routes=routes, held=state.held, asked=state.asked, highest=highest, reread_until=state.reread_until,
        tickets=state.tickets, served=state.served, telling=state.telling, unrouted=state.unrouted,
        steps_wait_until=state.steps_wait_until,
    )  # fmt: skip
    for tenant in routes.tenants.keys() & state.tenants.keys():
        fresh.tenants[tenant] = state.tenants[tenant]
    for told in ("announce", "wanted"):
        fresh.routes.ClearField(told)
    none = [highest] * LANES
    for route in routes.versions:
        blank = LaneCounters(version=route.version, sent=none, done=none, asked=none)
        fresh.versions.append(counters.get(route.version, blank))
    return fresh


def _lanes(state: RouterState) -> dict[str, Lanes]:
    routes = state.routes
    return {
        route.version: Lanes(route, counters, Admission.of(route, routes), state.highest)
        for route, counters in zip(routes.versions, state.versions)  # noqa: B905
    }
