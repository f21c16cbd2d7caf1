"""Which pool of workers holds a version: the one its config names.

It stays there for as long as it takes requests.
"""

from __future__ import annotations

import json
from functools import lru_cache

from scurry.job.module import serves
from scurry.registry.record import serving_spec, takes_requests
from scurry.wire.errors import InvalidRequest, bad_message
from scurry.wire.messages_pb2 import Record, Register, VersionRecord
from scurry.wire.pools import DEFAULT_POOL, POOL_NAME, SAY, function_of, pool_of


@lru_cache(maxsize=1024)
def of_config(config: str) -> str:
    """The pool that a version's options name; empty: the default one."""
    pool = json.loads(config or "{}").get("pool", DEFAULT_POOL)
    return "" if pool == DEFAULT_POOL else str(pool)


def reaches(functions: tuple[str, ...] | None, pool: str) -> bool:
    """Whether the job has an endpoint for a pool; the default one's is always there."""
    return not pool or functions is None or serves(functions, function_of(pool))


def missing(functions: tuple[str, ...] | None, pool: str) -> str:
    """The sentence for a pool without an endpoint."""
    known = ", ".join(dict.fromkeys([DEFAULT_POOL, *filter(None, map(pool_of, functions or ()))]))
    return f"The job's module.yaml has no endpoint for pool {pool!r} ({function_of(pool)}); its pools are {known}."


def check(register: Register, functions: tuple[str, ...] | None, *, is_user_function: bool) -> None:
    """Raise `InvalidRequest` for a pool that is none, or that nobody would be asked in."""
    config = json.loads(register.config or "{}")
    if "pool" not in config:
        return
    pool = config["pool"]
    if not isinstance(pool, str) or not POOL_NAME.fullmatch(pool):
        raise bad_message(f"register.config.pool must be the name of a pool of workers: {SAY}")
    if is_user_function:
        raise bad_message("register.config.pool: a user's function answers this version, not a pool of workers")
    if not reaches(functions, of_config(register.config)):
        raise bad_message(f"register.config.pool: {missing(functions, pool).rstrip('.')}")


def refuse_move(record: Record, entry: VersionRecord | None, config: str) -> None:
    """Raise `InvalidRequest` where what takes requests would change its pool.

    Requests and the states of sequences are under way to the workers of the one it has.
    """
    if entry is None or entry.function or not takes_requests(entry):
        return
    now, then = serving_spec(entry).pool, of_config(config)
    if now != then:
        what = f"Version {entry.version!r} of model {record.model!r} takes requests in pool {now or DEFAULT_POOL!r}"
        cure = f"register it in pool {then or DEFAULT_POOL!r} as a new version, or unload it first"
        raise InvalidRequest("not_allowed", f"{what}, and stays there: {cure}.")
