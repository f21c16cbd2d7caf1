"""A model's version policy, as messages, configs and files say it."""

from __future__ import annotations

from typing import Any, Final

from scurry.wire.errors import bad_message
from scurry.wire.messages_pb2 import Policy
from scurry.wire.names import MODEL_NAME

MOST: Final = 1_000_000
SAY: Final = 'one of {"latest": N}, {"all": true}, {"specific": [VERSION, …]}'


def parse_policy(name: str, value: object) -> Policy:
    """A policy in our form or Triton's. Raises `InvalidRequest` that names the field."""
    if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= {"latest", "all", "specific"}:
        raise bad_message(f"{name} must be {SAY}")
    ((kind, what),) = value.items()
    if isinstance(what, dict):  # as Triton writes it
        key = {"latest": "num_versions", "specific": "versions"}.get(kind)
        if what.keys() - {key}:
            raise bad_message(f"{name}.{kind} has no field {min(what.keys() - {key})[:64]!r}")
        what = what.get(key, 1 if kind == "latest" else []) if key else True
    if kind == "all" and what is True:
        return Policy(all=True)
    if kind == "latest" and _is_count(what):
        return Policy(latest=int(str(what)))
    if kind == "specific" and isinstance(what, list) and what and all(map(is_version, what)):
        return Policy(specific=dict.fromkeys(str(each) for each in what))
    raise bad_message(f"{name}.{kind} is not right: a policy is {SAY}")


def _is_count(value: object) -> bool:
    """Triton's tools may write numbers as text."""
    number = int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 8 else value
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= MOST


def is_version(value: object) -> bool:
    """Whether it names a version: in YAML and JSON a number may."""
    return isinstance(value, int | str) and not isinstance(value, bool) and bool(MODEL_NAME.fullmatch(str(value)))


def policy_view(policy: Policy) -> dict[str, Any]:
    """A policy as the verb takes it; empty when there is none."""
    parts = {"latest": policy.latest, "all": policy.all, "specific": list(policy.specific)}
    return {name: value for name, value in parts.items() if value}
