"""A guarded rollout: a version gets its share step by step, or none.

    RUNNING ──a step has held, the guards are kept──▶ next step … the last ──▶ FINISHED
       │ ├────a guard is broken, aborted, the version takes no requests───────▶ ROLLED_BACK, with the shares before it
       │ └────split, promote or rollback, a version of the old shares gone────▶ ENDED, with the shares as they are

Guards are looked at whenever counts arrive, so a bad version does not last out its step; a step is left when its
reminder comes and the version has answered enough. Both are messages, all else is in the record: a crash resumes at
the step it found. A step starts its counts anew; what the others answered counts from the first one on.

Pure: the rule of a record and what is counted in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scurry.registry import usage
from scurry.registry.record import find, require_ready, takes_requests, weights_of
from scurry.registry.rollout_plan import check_rollout
from scurry.registry.steps import NextStepLater, Progress
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import (
    ENDED,
    FINISHED,
    ROLLED_BACK,
    RUNNING,
    Comparisons,
    Counts,
    NextStep,
    Record,
    Rollout,
    RolloutRecord,
    Shadow,
    Update,
    VersionRecord,
)
from scurry.wire.statistics import answered_by

PARTS: Final = 10_000
"""A share is given in hundredths of a percent. The sum of the weights stays, so that a step moves no request back."""
MOST: Final = 10_000
"""Former weights are scaled down to a sum of at most this."""
RETRY_MS: Final = 10_000
LATEST_MS: Final = 0.5
"""A mean latency of the others below this counts as this."""


def running(record: Record) -> bool:
    """Whether a rollout is under way."""
    return record.HasField("rollout") and record.rollout.state == RUNNING


def begin(progress: Progress, update: Update) -> str:
    """Start a rollout, or abort the one that runs."""
    record, plan = progress.record, update.rollout
    if plan.abort:
        if not running(record):
            raise InvalidRequest("bad_request", f"No rollout of model {record.model!r} is running.")
        _roll_back(record, "It was aborted.")
    else:
        check_rollout(plan)
        if running(record):
            sentence = f"Version {record.rollout.plan.version!r} is being rolled out: abort that first."
            raise InvalidRequest("not_allowed", sentence)
        _begin(progress, require_ready(record, plan.version), plan)
    return progress.applied(update)


def _begin(progress: Progress, entry: VersionRecord, plan: Rollout) -> None:
    record, before = progress.record, weights_of(progress.record)
    if not before.keys() - {entry.version}:
        sentence = f"Version {entry.version!r} takes all requests already: promote the one it is to follow first."
        raise InvalidRequest("not_allowed", sentence)
    if plan.HasField("max_disagreement"):
        usage.refuse_copies(entry, "rollout.max_disagreement")
    record.rollout.CopyFrom(RolloutRecord(plan=plan, number=record.sequence + 1, before=before))
    record.rollout.plan.version, record.rollout.generation = entry.version, entry.spec.generation
    record.rollout.others_at_start.CopyFrom(_others(record))
    if plan.HasField("max_disagreement") and record.shadow.version != entry.version:
        record.rollout.shadow.CopyFrom(record.shadow)
        record.shadow.CopyFrom(Shadow(version=entry.version, percent=plan.compare_percent))
    _enter(progress, 0)


def _enter(progress: Progress, step: int) -> None:
    """Give the version the share of a step."""
    record = progress.record
    rollout = record.rollout
    entry = find(record, rollout.plan.version)
    assert entry is not None
    rollout.step = step
    rollout.at_step.CopyFrom(entry.statistics)
    _weigh(record, shares(rollout.before, entry.version, rollout.plan.steps[step]))
    progress.effects.append(NextStepLater(rollout.number, step, rollout.plan.hold_ms))


def shares(before: Mapping[str, int], version: str, percent: float) -> dict[str, int]:
    """Weights that give a version so many percent, and leave the others' proportions as they were."""
    part, others = round(percent * PARTS / 100), {each: weight for each, weight in before.items() if each != version}
    total = sum(others.values())
    if total > MOST:
        others = {each: max(1, weight * MOST // total) for each, weight in others.items()}
    total = sum(others.values())
    weights = {each: weight * (PARTS - part) for each, weight in others.items()}
    return {each: weight for each, weight in {**weights, version: total * part}.items() if weight}


def next_step(progress: Progress, event: NextStep) -> None:
    """A step has held. While too few answers are counted, it holds on."""
    record = progress.record
    rollout = record.rollout
    if not running(record) or (rollout.number, rollout.step) != (event.number, event.step):
        return
    if not _enough(record):
        progress.effects.append(NextStepLater(event.number, event.step, min(rollout.plan.hold_ms, RETRY_MS)))
    elif event.step + 1 < len(rollout.plan.steps):
        _enter(progress, event.step + 1)
    else:
        _end(record, FINISHED, f"It has {rollout.plan.steps[-1]:g} % of the requests.")


def watch(progress: Progress, verb: str = "") -> None:
    """After every change of the record: end a rollout that a registry message or the guards end."""
    record = progress.record
    if not running(record):
        return
    rollout = record.rollout
    entry = find(record, rollout.plan.version)
    able = {each.version for each in record.versions if takes_requests(each)}
    lost = sorted(rollout.before.keys() - able - {rollout.plan.version})
    step = shares(rollout.before, rollout.plan.version, rollout.plan.steps[rollout.step])
    if verb in ("split", "promote", "rollback") or (verb == "routes" and dict(record.weights) != step):
        _end(record, ENDED, f"The shares were changed by {verb}.")
    elif lost:
        _end(record, ENDED, f"Version {lost[0]!r}, whose requests it was to take, takes none any more.")
    elif entry is None or not takes_requests(entry):
        _roll_back(record, "It takes no requests any more.")
    elif entry.spec.generation != rollout.generation:
        _roll_back(record, "It was registered anew.")
    elif broken := broken_guard(record, entry):
        _roll_back(record, f"At {rollout.plan.steps[rollout.step]:g} %: {broken}")


def broken_guard(record: Record, entry: VersionRecord) -> str:
    """What the version does that it must not; empty: nothing, as far as is counted."""
    plan, base = record.rollout.plan, record.rollout.at_step
    if plan.HasField("max_error_rate"):
        failed, answered = _failed(entry.statistics.primary, base.primary)
        if failed > plan.max_error_rate * max(answered, plan.min_requests):
            share = f"{plan.max_error_rate:g} of {max(answered, plan.min_requests)}"
            return f"{failed} of {answered} requests failed, more than {share}."
    if plan.HasField("max_latency_ratio"):
        own, others = latency(entry.statistics.primary, base.primary), latency(_others(record), _start(record))
        if min(own[1], others[1]) >= plan.min_requests and own[0] > plan.max_latency_ratio * max(others[0], LATEST_MS):
            return f"It takes {own[0]:.1f} ms and the others {others[0]:.1f}: over {plan.max_latency_ratio:g} times."
    if plan.HasField("max_disagreement"):
        differ, compared = _differ(entry.statistics.shadow, base.shadow)
        if differ > plan.max_disagreement * max(compared, plan.min_requests):
            share = f"{plan.max_disagreement:g} of {max(compared, plan.min_requests)}"
            return f"{differ} of {compared} copies got another answer, more than {share}."
    return ""


def _enough(record: Record) -> bool:
    """Whether the version has answered enough in this step; at 100 % there is nothing to compare it with."""
    rollout = record.rollout
    plan, base = rollout.plan, rollout.at_step
    entry = find(record, plan.version)
    assert entry is not None
    if _failed(entry.statistics.primary, base.primary)[1] < plan.min_requests:
        return False
    if not plan.HasField("max_disagreement") or plan.steps[rollout.step] >= 100:
        return True
    return _differ(entry.statistics.shadow, base.shadow)[1] >= plan.min_requests


def _failed(counts: Counts, base: Counts) -> tuple[int, int]:
    """Requests that failed or were refused since, and all that were answered."""
    answered = answered_by(counts) + counts.refused - answered_by(base) - base.refused
    return answered - (counts.ok - base.ok), answered


def latency(counts: Counts, base: Counts) -> tuple[float, int]:
    """Mean milliseconds since, and of how many."""
    count = sum(counts.latency) - sum(base.latency)
    return (counts.latency_millis - base.latency_millis) / max(count, 1), count


def _differ(shadow: Comparisons, base: Comparisons) -> tuple[int, int]:
    """Copies since that got another answer or an error, and all that got one."""
    failed = sum(shadow.errors.values()) - sum(base.errors.values())
    compared = shadow.compared - base.compared
    return compared - (shadow.equal - base.equal) + failed, compared + failed


def _others(record: Record) -> Counts:
    """Latencies of the versions that had the requests before, added up."""
    total = Counts(latency=[0])
    for entry in record.versions:
        if entry.version in record.rollout.before and entry.version != record.rollout.plan.version:
            total.latency_millis += entry.statistics.primary.latency_millis
            total.latency[0] += sum(entry.statistics.primary.latency)
    return total


def _start(record: Record) -> Counts:
    return record.rollout.others_at_start


def _roll_back(record: Record, message: str) -> None:
    """Back to the shares before the rollout, as far as those versions are there."""
    _end(record, ROLLED_BACK, message)
    _weigh(record, {version: weight for version, weight in record.rollout.before.items() if find(record, version)})


def _end(record: Record, state: int, message: str) -> None:
    rollout = record.rollout
    rollout.state, rollout.message = state, message  # type: ignore[assignment]
    if rollout.HasField("shadow"):
        record.shadow.CopyFrom(rollout.shadow)
        if not record.shadow.version:
            record.ClearField("shadow")


def _weigh(record: Record, weights: Mapping[str, int]) -> None:
    record.weights.clear()
    record.weights.update(weights)
