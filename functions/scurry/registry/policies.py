"""A model's version policy: which registered versions are in memory.

In Triton's words: `latest` N, `all`, `specific` versions. The newest are those registered last. A version that has a
share of a split or an alias stays whatever the policy says, and so does the last one that takes requests; what the
policy unloads it may load again, what somebody unloaded stays so until somebody loads it.
"""

from __future__ import annotations

import json
from typing import Any

from scurry.registry import shelving
from scurry.registry.record import aliases_of, require_model, takes_requests, weights_of
from scurry.registry.steps import Progress
from scurry.wire.errors import bad_message
from scurry.wire.messages_pb2 import LOADING, READY, REGISTERED, Policy, Record, Update, VersionRecord
from scurry.wire.policies import MOST, SAY, is_version, parse_policy


def check_config(config: dict[str, Any]) -> None:
    """Raise `InvalidRequest` for a `version_policy` or `pinned` in a version's options that is none."""
    if "version_policy" in config:
        parse_policy("register.config.version_policy", config["version_policy"])
    if not isinstance(config.get("pinned", False), bool):
        raise bad_message("register.config.pinned must be true or false")


def check(policy: Policy) -> None:
    """Raise `InvalidRequest` unless it says exactly one thing."""
    said = bool(policy.latest) + policy.all + bool(policy.specific)
    if said != 1 or not 0 <= policy.latest <= MOST or not all(map(is_version, policy.specific)):
        raise bad_message(f"policy must be {SAY}")


def adopt(record: Record, config: str) -> None:
    """A version that was registered with a policy brings it for its model."""
    said = json.loads(config or "{}").get("version_policy")
    if said is not None:
        record.policy.CopyFrom(parse_policy("register.config.version_policy", said))


def set_policy(progress: Progress, update: Update) -> str:
    """The verb: what is to be in memory is loaded, the rest drains. Answered when it is in force, not when all is."""
    record = progress.record
    require_model(record)
    record.policy.CopyFrom(update.policy)
    return progress.applied(update)


def lets(record: Record, entry: VersionRecord) -> bool:
    """Whether a version that is being registered is loaded."""
    policy = record.policy
    return not policy.specific or entry.version in policy.specific or _held(record, entry)


def wants(record: Record, entry: VersionRecord) -> bool:
    """Whether a version that is registered only may be loaded."""
    policy = record.policy
    if policy.latest and not _held(record, entry):
        here = [each for each in record.versions if _counts(each) or each.version == entry.version]
        return entry in here[-policy.latest :]
    return lets(record, entry)


def keep_to(progress: Progress) -> None:
    """Load and unload what the policy says; nothing of it while a model has none."""
    record = progress.record
    if not record.HasField("policy"):
        return
    for entry in reversed(record.versions):
        if entry.state == REGISTERED and entry.laid_down and wants(record, entry):
            shelving.renew(progress, entry)
    able = [entry for entry in record.versions if takes_requests(entry)]
    for entry in _surplus(record, able):
        if entry.state == READY and not _held(record, entry) and _spared(record, entry):
            shelving.rest(progress, entry, laid_down=True)


def _surplus(record: Record, able: list[VersionRecord]) -> list[VersionRecord]:
    """What takes requests and is not wanted, the oldest first."""
    policy = record.policy
    if policy.latest:
        return able[: -policy.latest]
    return [entry for entry in able if policy.specific and entry.version not in policy.specific]


def _counts(entry: VersionRecord) -> bool:
    return takes_requests(entry) or entry.state == LOADING


def _held(record: Record, entry: VersionRecord) -> bool:
    """Whether requests were sent its way by somebody."""
    return record.weights.get(entry.version, 0) > 0 or bool(aliases_of(record, entry.version))


def _spared(record: Record, entry: VersionRecord) -> bool:
    """Whether requests that name no version have another one to go to."""
    return any(version != entry.version for version in weights_of(record)) or any(
        other.version != entry.version and takes_requests(other) and not other.unrouted for other in record.versions
    )
