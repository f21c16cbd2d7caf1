"""Judges what a step of a sequence was answered: the sum of its sequence, by the version that began it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

import numpy as np
from tests.chaos.claims import KEPT_S, Question, Seen
from tests.chaos.ledger import Ledger
from tests.chaos.walks import GONE_ON, HUNG, UNKNOWN, Step

TOLD: Final = {"answered": "steps answered", "gone on": "steps computed, answer unknown", "failed": "steps failed"}
WAVER_S: Final = 1.0
"""When Redis lost its last entries is known to about so much; those that we wrote are known one by one."""


def about(step: Step, seen: Seen) -> str:
    """Which step it was, and what was known of it."""
    walk, tries = step.walk, [(round(each.low, 3), round(each.high, 3)) for each in step.tries]
    return (
        f"step {step.at} of {walk.model}@{walk.asked or '-'}/{walk.name} (number {seen.number}, tries {tries}, idle "
        f"{step.idle[0]:.3f} to {step.idle[1]:.3f} s, {len(walk.doubts)} doubts): {seen.error or 'ok'} {seen.message}"
    )


def lost_steps(gone: Collection[int], since: float) -> Callable[[Step], bool]:
    """Which steps may be among what Redis lost: our own by their entries, a gateway's by when they were answered."""
    return lambda step: step.number in gone if step.number else step.answered > since - WAVER_S


def judge_answer(step: Step, seen: Seen, ledger: Ledger, *, right: bool) -> None:
    """The sum must be right, the version the one that began, and the sequence one that was kept."""
    if not right:
        ledger.wrong("steps_wrong", f"{about(step, seen)}: {reading(step, seen)}; {seen.version!r} said {seen.y}")
    if step.walk.version and seen.version != step.walk.version and step.walk.wavers:
        ledger.steps["sequences begun anew by another version"] += 1
        step.walk.version = seen.version
    elif step.walk.version and seen.version != step.walk.version:
        ledger.wrong("wrong_version", f"{about(step, seen)} by {seen.version!r}, begun by {step.walk.version!r}")
    if step.must_be_unknown():
        ledger.wrong("steps_wrong", f"{about(step, seen)}: answered, though its sequence was idle for too long")


def judge_error(question: Question, step: Step, seen: Seen, ledger: Ledger) -> bool:
    """Whether it is one that only steps get; wrong where the contract has no such answer to it."""
    if seen.error == UNKNOWN:
        if not step.may_be_unknown():
            ledger.wrong("sequences_lost", about(step, seen))
    elif seen.error == "already_answered":
        if not step.shaken and seen.at - question.sent < KEPT_S:
            ledger.wrong("steps_wrong", f"{about(step, seen)}, and nobody was told before")
    elif seen.error == "deadline_exceeded" and question.deadline and step.number:
        if GONE_ON not in seen.message and HUNG not in seen.message:  # late or not, it is computed
            ledger.wrong("steps_wrong", f"{about(step, seen)}: was not computed, though it was taken in")
    else:
        return seen.error == "deadline_exceeded" and bool(question.deadline)
    return True


def count(step: Step, seen: Seen, ledger: Ledger) -> None:
    """What is only told."""
    if step.state == "open":
        ledger.steps["steps told to ask again"] += 1
        return
    ledger.steps[TOLD[step.state]] += 1
    ledger.steps["steps asked more than once"] += len(step.tries) > 1
    ledger.steps["sequences begun"] += step.start and step.state != "failed"
    ledger.steps["sequences ended"] += step.end and step.state != "failed"
    if seen.error == UNKNOWN:
        ledger.steps["sequences idle too long, or gone with Redis"] += 1
    if GONE_ON in seen.message:
        ledger.steps["steps told their deadline, and computed"] += 1


def reading(step: Step, seen: Seen) -> str:
    """In words how the answer differs from the sum."""
    if seen.s is None:
        return "no sum"
    differs = float(seen.s.sum() - step.totals()[0].sum())
    if not differs:
        return "the sum is right, the rest is not: another version's, or another's state"
    earlier = [*step.walk.done, step]
    lacks = [one.at for one in earlier if float(one.x.sum()) == -differs]
    twice = [one.at for one in earlier if float(one.x.sum()) == differs]
    if lacks or twice:
        return f"without step {lacks[0]}" if lacks else f"step {twice[0]} twice"
    if np.array_equal(seen.s, step.x.sum(axis=1, keepdims=True)):
        return "begun anew"
    return f"off by {differs:g}"
