"""The registry as Python sees it: models registered, changed, declared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from scurry.client.applying import Taken, carry_out
from scurry.client.changes import change
from scurry.client.declared import document, read_document
from scurry.client.difference import difference
from scurry.client.verbs import CHANGE_S, RegistryVerbs
from scurry.wire.errors import NotFound

if TYPE_CHECKING:
    from scurry.client.records import ModelRecord
    from scurry.client.registry import Change


class Registry(RegistryVerbs):
    """Which models a client's job serves: shown, and changed."""

    async def register(
        self,
        model: str,
        uri: str | Path = "",
        *,
        version: str = "",
        runtime: str = "",
        config: Mapping[str, Any] | None = None,
        pool: str = "",
        route: bool | None = None,
        wait: bool = True,
        timeout: float = CHANGE_S,  # noqa: ASYNC109
    ) -> ModelRecord:
        """Add or replace a version and load it. A path that is on this machine becomes absolute.

        The workers of the `pool` hold it. What cannot be loaded is `load_failed`. Without `wait` it returns at once,
        with the record as it stands.
        """
        config = {**(config or {}), "pool": pool} if pool else config
        fields = {"version": version, "uri": absolute(uri), "runtime": runtime, "config": config, "route": route}
        update = change(model, "register", fields)
        if wait:
            return cast("ModelRecord", await self._client.update(update, timeout=timeout))
        await self._client.announce(update)
        return cast("ModelRecord", await self._client.record(model) or {"model": model, "versions": []})

    async def unregister(self, model: str, version: str = "", *, force: bool = False) -> ModelRecord:
        """Let a version, or the whole model, finish and drop it; `force` also what takes requests."""
        return await self._change(model, "unregister", version=version, force=force or None)

    async def record(self, model: str) -> ModelRecord:
        """All that is known of a model. Raises `model_not_found`."""
        found = await self._client.record(model)
        if found is None:
            raise NotFound("model_not_found", f"No model {model!r} is registered.")
        return cast("ModelRecord", found)

    async def models(self, *, limit: int = 0, after: str = "") -> dict[str, ModelRecord]:
        """Every model, or a page of them in the order of their names."""
        return cast("dict[str, ModelRecord]", await self._client.models(limit=limit, after=after))

    async def history(self, model: str, *, limit: int = 0) -> list[Change]:
        """The registry messages of a model, the newest first, and what came of each."""
        return await self._client.history(model, limit=limit)

    async def export(self, *models: str) -> dict[str, Any]:
        """The registry, or these models, as `apply` takes it: JSON. Raises `model_not_found`."""
        records = await self._client.models()
        missing = sorted(set(models) - records.keys())
        if missing:
            raise NotFound("model_not_found", f"No model {missing[0]!r} is registered.")
        return document({name: records[name] for name in models or records})

    async def apply(
        self, declaration: Mapping[str, Any], *, prune: bool = False, dry_run: bool = False
    ) -> list[Taken]:
        """Make models as a declaration has them; returns each change and what came of it.

        `prune` drops what is not declared, `dry_run` changes nothing. A change that fails ends those of its model.
        """
        plans = difference(read_document(declaration), await self._client.models(), prune=prune)
        taken = {name: [Taken(step) for step in plans[name]] for name in sorted(plans)}
        if not dry_run:
            await carry_out(self._client, taken)
        return [one for steps in taken.values() for one in steps]

    def __repr__(self) -> str:
        return f"<Registry of {self._client!r}>"


def absolute(uri: str | Path) -> str:
    """A path that is on this machine in full, because workers run elsewhere; anything else as it is."""
    text = str(uri)
    if not text or "://" in text:
        return text
    try:
        return str(Path(text).expanduser().resolve(strict=True))
    except (OSError, ValueError, RuntimeError):  # nothing there, no path at all, nobody's home: the worker says so
        return text
