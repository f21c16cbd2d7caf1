"""A model's record, as people read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scurry.cli import limits, streams
from scurry.cli.output import table
from scurry.cli.traffic import traffic_lines


def version_rows(name: str, record: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Lines of the table for one model's record."""
    routes: dict[str, int] = record.get("routes") or {}
    total = sum(routes.values()) or 1
    return [
        (
            name,
            one["version"],
            one.get("state", ""),
            f"{100 * routes.get(one['version'], 0) / total:.0f} %",
            one.get("runtime", ""),
            one.get("pool", ""),
            one.get("uri", ""),
        )
        for one in record.get("versions", ())
    ]


def describe(name: str, record: Mapping[str, Any]) -> str:
    """A model's record as text."""
    lines = [table(("MODEL", "VERSION", "STATE", "SHARE", "RUNTIME", "POOL", "URI"), version_rows(name, record))]
    lines += [f"alias {alias} is version {version}" for alias, version in (record.get("aliases") or {}).items()]
    if record.get("policy"):
        lines.append(f"policy {json.dumps(record['policy'])}")
    if record.get("rollbacks"):
        lines.append(f"former routes to go back to: {record['rollbacks']}")
    lines += limits.described(record)
    lines += streams.described(record)
    for one in record.get("versions", ()):
        lines.append(limits.lanes_text(one))
        lines += [f"version {one['version']}{sentence}" for sentence in _sentences(one)]
        signature = one.get("signature") or {}
        for kind in ("inputs", "outputs"):
            lines += [
                f"version {one['version']} {kind[:-1]} {tensor_text(tensor)}" for tensor in signature.get(kind, ())
            ]
    return "\n".join(filter(None, [*lines, *traffic_lines(record)]))


def _sentences(one: Mapping[str, Any]) -> list[str]:
    """What is out of the ordinary about a version."""
    said = [f": {one['reason']}"] if one.get("reason") else []
    said += [" is pinned: workers keep it in memory"] if one.get("pinned") else []
    said += [" takes no request that names no version, until it is given some"] if one.get("route") is False else []
    if "unloaded_by" in one:
        by = "the policy" if one["unloaded_by"] == "policy" else "request"
        said.append(f" was unloaded by {by}: it stays registered")
    return said + [f" warning: {sentence}" for sentence in one.get("warnings") or ()]


def tensor_text(tensor: Mapping[str, Any]) -> str:
    """`x FP32 [?, 16]`."""
    shape = ", ".join("?" if dim < 0 else str(dim) for dim in map(int, tensor.get("shape", ())))
    return f"{tensor.get('name')} {tensor.get('datatype')} [{shape}]"
