"""The registry from a caller's side: its view, and changing it."""

from __future__ import annotations

import contextlib
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scurry.client.bodies import raise_error
from scurry.client.session import Session
from scurry.wire.errors import NotFound
from scurry.wire.messages_pb2 import Update

PAGE: Final = 1000
"""Entries of the registry's stream that are read at once."""


@dataclass(frozen=True, slots=True)
class Change:
    """One registry message, or what came about by itself, and its outcome: `applied`, or the code of a refusal."""

    entry: str  # in the stream; it begins with the epoch milliseconds of its writing
    model: str
    sequence: int  # of the model's messages, from 1
    update: dict[str, Any] | str  # the verb with its fields; a text where it was too long to be kept whole
    outcome: str
    number: int = 0  # of those that changed something, from 1
    record: dict[str, Any] | None = None  # what is declared of the model since; None: as before

    @property
    def when(self) -> float:
        """Epoch seconds."""
        return int(self.entry.partition("-")[0]) / 1000


class RegistryCaller(Session):
    """Reads what the registry shows, and asks it to change."""

    async def update(
        self,
        update: Update,
        *,
        timeout: float = 600.0,  # noqa: ASYNC109
        id: str = "",  # noqa: A002
    ) -> dict[str, Any]:
        """Change the registry; returns the model's record once the change is in force."""
        fields = ("kind", "registry", "model", update.model, "request", update.SerializeToString())
        stream = self._registry_stream(update.model)
        reply = await self.streams.send(stream, fields, id or self.new_id(), timeout)
        raise_error(reply)
        record: dict[str, Any] = json.loads(reply.get(b"record", b"{}"))
        return record

    async def announce(self, update: Update) -> str:
        """Send a change of the registry without waiting for what comes of it; returns its stream entry."""
        fields = ("kind", "registry", "model", update.model, "request", update.SerializeToString())
        entry: bytes = await self.command("XADD", self._registry_stream(update.model), "*", *fields)
        return entry.decode()

    async def models(self, *, limit: int = 0, after: str = "") -> dict[str, dict[str, Any]]:
        """The registry's view: every model's record. It follows the registry by a moment.

        In the order of their names when only so many are wanted (`limit`), or those `after` a name.
        """
        if not limit and not after:
            flat = await self.command("HGETALL", self.keys.models)
            return {name.decode(): json.loads(record) for name, record in zip(flat[::2], flat[1::2], strict=True)}
        names: list[bytes] = sorted(await self.command("HKEYS", self.keys.models))
        page = names[bisect_right(names, after.encode()) :][: limit or None]
        records = await self.command("HMGET", self.keys.models, *page) if page else ()
        return {name.decode(): json.loads(one) for name, one in zip(page, records, strict=True) if one is not None}

    async def record(self, model: str) -> dict[str, Any] | None:
        """One model's record in that view; None when there is none, or not yet."""
        found: bytes | None = await self.command("HGET", self.keys.models, model)
        return None if found is None else json.loads(found)

    async def inputs_of(self, model: str, version: str) -> Mapping[str, str]:
        """A model's inputs with their data types, so far as the view shows them. Raises `NotFound`."""
        record = await self.record(model)
        if record is None:
            raise NotFound("model_not_found", f"No model is called {model!r}.")
        signature = signature_of(record, version)
        if signature is None:
            raise NotFound("version_not_found", f"Model {model!r} has no version {version or 'that takes requests'!r}.")
        return {port["name"]: port["datatype"] for port in signature.get("inputs", ())}

    async def history(self, model: str, *, limit: int = 0) -> list[Change]:
        """The registry messages of a model that were applied or refused, the newest first, so far as they are kept.

        One stream has those of all models: it is read from its end until `limit` are found (0: all of them).
        """
        found: list[Change] = []
        last = "+"
        while not limit or len(found) < limit:
            page = await self.command("XREVRANGE", self.keys.registry, last, "-", "COUNT", PAGE, again=True)
            changes = [change_of(entry, fields) for entry, fields in page]
            found += [change for change in changes if change.model == model]
            if len(page) < PAGE:
                break
            last = f"({changes[-1].entry}"
        return found[: limit or None]

    async def events(self) -> list[Change]:
        """All that the registry's stream keeps, of all models, the oldest first."""
        found: list[Change] = []
        first = "-"
        while True:
            page = await self.command("XRANGE", self.keys.registry, first, "+", "COUNT", PAGE, again=True)
            found += [change_of(entry, fields) for entry, fields in page]
            if len(page) < PAGE:
                return found
            first = f"({found[-1].entry}"

    def _registry_stream(self, model: str) -> str:
        return self.keys.registry_in if self._separate_registry else self.streams.requests(model)


def change_of(entry: bytes, flat: Sequence[bytes]) -> Change:
    """An entry of the registry's stream."""
    fields = {name.decode(): value.decode(errors="replace") for name, value in zip(flat[::2], flat[1::2], strict=True)}
    update, record = _read(fields.get("update", "")), _read(fields.get("record", ""))
    return Change(
        entry.decode(),
        fields.get("model", ""),
        int(fields.get("sequence") or 0),
        fields.get("update", "") if update is None else update,
        fields.get("outcome", ""),
        int(fields.get("number") or 0),
        record,
    )


def _read(text: str) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError):
        read = json.loads(text)
        return read if isinstance(read, dict) else None
    return None


def signature_of(record: Mapping[str, Any], version: str) -> dict[str, Any] | None:
    """What the version takes and gives that is asked for, or that gets most of the traffic; None without one."""
    found = version_of(record, version)
    return None if found is None else found.get("signature") or {}


def version_of(record: Mapping[str, Any], version: str) -> dict[str, Any] | None:
    """What there is to say of the version that is asked for, or that gets most of the traffic; None without one."""
    wanted = (record.get("aliases") or {}).get(version, version)
    routes: dict[str, int] = record.get("routes") or {}
    wanted = wanted or max(routes, key=lambda one: routes[one], default="")
    return next((one for one in record.get("versions", ()) if one["version"] == wanted), None)
