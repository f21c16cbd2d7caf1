"""What a version is used for: who would miss it."""

from __future__ import annotations

from scurry.registry.record import aliases_of, weights_of
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import DRAINING, Record, VersionRecord
from scurry.wire.names import ENSEMBLE_RUNTIME


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


def gets_no_copies(entry: VersionRecord) -> str:
    """What a version is that cannot be a shadow; empty when it can."""
    if entry.function:
        return "a user function"
    if entry.spec.runtime == ENSEMBLE_RUNTIME:
        return "made of others"
    return "one that keeps sequences" if entry.sequences else ""


def refuse_copies(entry: VersionRecord, field: str) -> None:
    """Raise `InvalidRequest` that names the field where a version cannot be a shadow."""
    if what := gets_no_copies(entry):
        sentence = f"Registry message: {field}: version {entry.version!r} is {what}: it gets no copies."
        raise InvalidRequest("bad_request", sentence)
