"""Entries of any bytes pass through the real ingress: each is answered or dead-lettered, and the job goes on."""

from __future__ import annotations

import itertools
import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.conftest import Stack

REPLIES = "scurry:replies:noise"
WAIT_S = 60
NUMBERS = itertools.count(1)

WORDS = st.sampled_from([b"", b"0", b"-1", b"1e9", b"9" * 30, b"registry", b"request", b"noise", b"{}", b"[" * 5000])
BYTES = st.one_of(WORDS, st.binary(max_size=200), st.text(max_size=60).map(str.encode))
KNOWN = ("model", "inputs", "request", "version", "deadline", "key", "keep", "priority", "tenant", "kind", "update")
NAMES = st.one_of(st.sampled_from(KNOWN).map(str.encode), st.binary(min_size=1, max_size=20))
ENTRIES = st.dictionaries(NAMES, BYTES, min_size=1, max_size=8)


def last_restart(stack: Stack) -> int:
    """When Flink restarted the job last, in epoch milliseconds; 0: never."""
    with urllib.request.urlopen(f"{stack.info['ui_url']}/jobs") as answer:
        job = json.load(answer)["jobs"][0]["id"]
    with urllib.request.urlopen(f"{stack.info['ui_url']}/jobs/{job}") as answer:
        return int(json.load(answer)["timestamps"]["RESTARTING"])


def settled(link: redis.Redis) -> set[bytes]:
    """Ids that were answered to us, or lie among the dead letters."""
    answered = {fields[b"id"] for _, fields in link.xrange(REPLIES)}
    return answered | {fields.get(b"field:id", b"") for _, fields in link.xrange("scurry:dead")}


def write(link: redis.Redis, entries: list[dict[bytes, bytes]]) -> set[bytes]:
    """Write entries, each with an id of its own and our reply stream; their ids."""
    ids, pile = set(), link.pipeline(transaction=False)
    for entry in entries:
        ids.add(request_id := b"noise-%d" % next(NUMBERS))
        fields: dict[Any, Any] = {b"model": b"noise", **entry, b"id": request_id, b"reply": REPLIES.encode()}
        pile.xadd("scurry:requests", fields)
    pile.execute()
    return ids


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(entries=st.lists(ENTRIES, min_size=20, max_size=60))
def test_noise_is_answered_or_dead_lettered(stack: Stack, entries: list[dict[bytes, bytes]]) -> None:
    """Whatever the fields hold; and Flink never restarts the job for it."""
    link = redis.Redis.from_url(stack.redis_url, protocol=2)
    before = last_restart(stack)
    ids = write(link, entries)
    end = time.monotonic() + WAIT_S
    while (missing := ids - settled(link)) and time.monotonic() < end:
        time.sleep(0.02)
    assert missing == set()
    assert last_restart(stack) == before
    link.close()
