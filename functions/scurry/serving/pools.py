"""Further pools of workers of a `scurry up`.

Each has an endpoint in the job's module, workers, and a variable with their addresses.

The endpoint of a pool is that of the default pool under another function, with addresses of its own.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from scurry.job.module import bound_functions
from scurry.rules import pool_counts
from scurry.serving.processes import StartFailed
from scurry.wire.names import INFERENCE
from scurry.wire.pools import DEFAULT_POOL, VARIABLE, function_of, variable_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scurry.job.jars import Job
    from scurry.serving.addresses import Addresses
    from scurry.serving.folder import Folder
    from scurry.settings import UpSettings

MODULE: Final = "module.yaml"
_FUNCTIONS: Final = re.compile(rf"""^(\s*functions:\s*)["']?{INFERENCE}["']?[ \t]*(#.*)?$""", re.MULTILINE)
_ADDRESSES: Final = re.compile(r"^(\s*addresses:\s*).*$", re.MULTILINE)
_COMMENT: Final = re.compile(r"^\s*#.*\n", re.MULTILINE)


def of_workers(settings: UpSettings, default: int) -> tuple[str, ...]:
    """The pool of each worker: first those of the default one, which has so many."""
    counts = {DEFAULT_POOL: default, **pool_counts(settings.worker_pool)}
    return tuple(pool for pool, count in counts.items() for _ in range(count))


def flag(pool: str) -> tuple[str, ...]:
    """What tells a worker that it belongs to a further pool."""
    return () if pool == DEFAULT_POOL else ("--pool", pool)


def addresses(at: Addresses, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that tell the job where the workers of each pool are; those of others as the environment says."""
    others = {name: value for name, value in environ.items() if VARIABLE.fullmatch(name)}
    urls: defaultdict[str, list[str]] = defaultdict(list)
    for url, pool in zip(at.worker_urls, at.worker_pools, strict=True):
        urls[variable_of(pool)].append(url)
    return others | {variable: ",".join(ones) for variable, ones in urls.items()}


def prepared(job: Job, settings: UpSettings, folder: Folder) -> Job:
    """The job with a module, in the data directory, that has an endpoint for each pool. Raises `StartFailed`."""
    named = pool_counts(settings.worker_pool)
    if not named:
        return job
    module = folder.path / MODULE
    module.write_text(extended(job.module.read_text(), named))
    return dataclasses.replace(job, module=module.resolve())


def extended(text: str, pools: Iterable[str]) -> str:
    """A module with an endpoint for each of these pools that has none in it. Raises `StartFailed`."""
    bound = bound_functions(text)
    missing = [pool for pool in pools if function_of(pool) not in bound]
    document = next((one for one in re.split(r"^---.*$", text, flags=re.MULTILINE) if _FUNCTIONS.search(one)), None)
    if missing and (document is None or not _ADDRESSES.search(document)):
        raise StartFailed(f"The module has no endpoint of {INFERENCE} with addresses for those of pools to be like.")
    return "".join([text.rstrip(), "\n", *(f"---\n{_endpoint(document or '', pool)}" for pool in missing)])


def _endpoint(document: str, pool: str) -> str:
    """The default pool's endpoint made another one's."""
    text = _FUNCTIONS.sub(rf"\g<1>{function_of(pool)}", _COMMENT.sub("", document).strip() + "\n")
    return _ADDRESSES.sub(rf"\g<1>${{{variable_of(pool)}}}", text)
