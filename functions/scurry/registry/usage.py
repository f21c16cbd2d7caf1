"""What a version is used for: who would miss it."""

from __future__ import annotations

from scurry.registry.record import aliases_of, weights_of
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import DRAINING, Record, VersionRecord


def refuse_in_use(record: Record, entry: VersionRecord) -> None:
    """Raise `InvalidRequest` where requests would go elsewhere, or nowhere, saying where."""
    rest = Record()
    rest.CopyFrom(record)
    rest.versions.remove(entry)
    share, heirs = weights_of(record).get(entry.version, 0), ", ".join(weights_of(rest))
    uses = []
    if share and entry.state != DRAINING:
        heir = f"version {heirs} would get them" if heirs else "no other version is ready to get them"
        uses.append(f"it takes the requests that name no version ({heir})")
    uses += [f"alias {alias!r} stands for it" for alias in aliases_of(record, entry.version)]
    if uses:
        what = f"Version {entry.version!r} of model {record.model!r} is in use: {'; '.join(uses)}."
        raise InvalidRequest("not_allowed", f"{what} Point them elsewhere first, or send force.")
