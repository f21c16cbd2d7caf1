"""Threads that models compute in."""

from __future__ import annotations

import os
import threading

from scurry.inference.threads import SLOW_NICE, Threads


def test_a_lost_thread_is_missed_by_nobody():
    """Its pool begins anew; what waited in the old one is done."""
    threads, free = Threads(), threading.Event()
    pool = threads.pool(1.0)
    hung = [pool.submit(free.wait, 10) for _ in range(pool._max_workers)]
    waiting = pool.submit(lambda: "done")
    threads.replace(pool)
    assert threads.pool(1.0) is not pool
    assert threads.pool(1.0).submit(lambda: "at once").result(10) == "at once"
    free.set()
    assert (waiting.result(10), [each.result(10) for each in hung]) == ("done", [True] * len(hung))
    threads.close()


def test_quick_and_slow_models_do_not_meet():
    """And a pool that is gone already is not replaced twice."""
    threads = Threads()
    quick, slow = threads.pool(0.001), threads.pool(0.5)
    assert quick is not slow
    threads.replace(quick)
    fresh = threads.pool(0.001)
    threads.replace(quick)
    assert (threads.pool(0.001), threads.pool(0.5)) == (fresh, slow)
    assert repr(threads).startswith("<Threads ")
    threads.close()


def test_only_slow_models_let_the_others_go_first():
    """The event loop and quick models do not wait for a core behind them; in a pool that was replaced neither."""
    threads = Threads()

    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    ours = nice()
    assert threads.pool(0.5).submit(nice).result(10) == ours + SLOW_NICE
    assert threads.pool(0.001).submit(nice).result(10) == ours
    threads.replace(threads.pool(0.5))
    assert threads.pool(0.5).submit(nice).result(10) == ours + SLOW_NICE
    assert nice() == ours
    threads.close()
