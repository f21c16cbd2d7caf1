"""What the registry says of models and their versions, typed."""

from __future__ import annotations

from typing import Any, TypedDict


class VersionRecord(TypedDict, total=False):
    """What there is to say of one version; further fields are in docs/protocol.md."""

    version: str
    state: str
    uri: str
    runtime: str
    config: dict[str, Any]
    pinned: bool
    pool: str
    reason: str
    signature: dict[str, Any]
    requests: int
    ok: int
    errors: dict[str, int]
    refused: int
    bytes: int
    max_batch_size: int
    warnings: list[str]


class ModelRecord(TypedDict, total=False):
    """What there is to say of one model; further fields are in docs/protocol.md."""

    model: str
    versions: list[VersionRecord]
    aliases: dict[str, str]
    routes: dict[str, int]
    weights: dict[str, int]
    policy: dict[str, Any]
    limits: dict[str, Any]
    lanes: dict[str, int]
    shadow: dict[str, dict[str, Any]]
    rollout: dict[str, Any]


class Tenant(TypedDict, total=False):
    """What one tenant may send: requests a second, and how many at once."""

    rate: float
    burst: float
