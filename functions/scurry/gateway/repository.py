"""Triton's model repository: load and unload, by registry messages.

Both are answered when it is done and the view shows it, so that whoever asks next whether the model is ready gets it
right, at any gateway.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from scurry.gateway.admin import Admin, Shown
from scurry.gateway.describe import READY, Record
from scurry.gateway.models import Models
from scurry.gateway.overrides import overridden
from scurry.wire.errors import InvalidRequest, NotFound, ScurryError, error
from scurry.wire.names import ENSEMBLE_RUNTIME

Parameters = Mapping[str, object]

FILE: Final = "file:"
"""How Triton's parameters begin that carry a model's files."""
IN_MEMORY: Final = frozenset({READY, "loading", "draining"})
REWORDED: Final = frozenset({"bad_request", "load_failed", "model_not_ready"})
"""Codes whose sentence Triton's clients expect to begin in Triton's words."""
LOOK_S: Final = 0.01
LOOKS: Final = 200
"""How often, and how many times, the view is looked at for what was changed; it follows by a moment."""


class Repository:
    """Loads and unloads models for those who may change the registry."""

    def __init__(self, admin: Admin, models: Models) -> None:
        self._admin, self._models = admin, models

    async def load(self, model: str, parameters: Parameters, shown: Shown) -> None:
        """Bring a model's versions into memory; with a `config`, registered anew with it. Raises `ScurryError`.

        What the model's version policy keeps out of memory stays there.
        """
        self._admin.check(shown)
        config = _config_in(model, parameters)
        record = await self._record(model)
        if record is None:
            sentence = f"failed to load '{model}', failed to poll from model repository: no such model is registered"
            raise InvalidRequest("bad_request", sentence)
        wanted = [one for one in record["versions"] if one.get("unloaded_by") != "policy"]
        if config is None:
            changes = [{"load": {"version": one["version"]}} for one in wanted]
        else:
            changes = [{"register": overridden(model, one, config)} for one in wanted]
        await self._change(model, changes, shown, f"failed to load '{model}', ")

    async def unload(self, model: str, parameters: Parameters, shown: Shown) -> None:
        """Take a model out of memory; it stays registered. Raises `ScurryError`.

        With `unload_dependents`, the models as well that it is made of.
        """
        self._admin.check(shown)
        dependents = parameters.get("unload_dependents", False)
        if not isinstance(dependents, bool):
            raise InvalidRequest("bad_request", "Unable to parse 'unload_dependents': it must be true or false.")
        record = await self._record(model)
        if record is None:
            raise InvalidRequest("bad_request", f"failed to unload '{model}', no such model is registered")
        await self._unload(model, record, shown)
        for name in _steps(record) if dependents else ():
            step = await self._record(name)
            if step is not None:
                await self._unload(name, step, shown)

    async def _unload(self, model: str, record: Record, shown: Shown) -> None:
        loaded = [one["version"] for one in record["versions"] if one["state"] in IN_MEMORY]
        changes = [{"unload": {"version": version, "force": True}} for version in loaded]
        await self._change(model, changes, shown, f"failed to unload '{model}', ")

    async def _change(self, model: str, changes: list[dict[str, Any]], shown: Shown, failed: str) -> None:
        """Make the changes at once; the first that fails is told when all are done."""
        made = await asyncio.gather(
            *(self._admin.change(model, json.dumps(one), shown) for one in changes),
            return_exceptions=True,
        )
        records = [one for one in made if isinstance(one, dict)]
        if records:
            await self._shown(model, max(_epoch(one) for one in records))
        for one in made:
            if isinstance(one, ScurryError) and one.code in REWORDED:
                raise error(one.code, failed + one.message)
            if isinstance(one, BaseException):
                raise one

    async def _shown(self, model: str, epoch: int) -> None:
        """Wait until the view shows what was changed."""
        for _ in range(LOOKS):
            record = await self._record(model)
            if record is not None and _epoch(record) >= epoch:
                return
            await asyncio.sleep(LOOK_S)

    async def _record(self, model: str) -> Record | None:
        try:
            return await self._models.record(model, fresh=True)
        except NotFound:
            return None

    def __repr__(self) -> str:
        return f"<Repository for {self._admin!r}>"


def _config_in(model: str, parameters: Parameters) -> str | None:
    """The config override among Triton's parameters. Raises `InvalidRequest`."""
    for name, value in parameters.items():
        if name.startswith(FILE):
            sentence = f"failed to load '{model}', parameter {name[:64]!r}: files cannot be sent with a load here, "
            raise InvalidRequest("bad_request", f"{sentence}register the model from where the workers read it")
        if name != "config":
            raise InvalidRequest("bad_request", f"failed to load '{model}', there is no parameter {name[:64]!r}")
        if not isinstance(value, str):
            raise InvalidRequest("bad_request", f"failed to load '{model}', parameter 'config' must be a text of JSON")
    config = parameters.get("config")
    return config if isinstance(config, str) else None


def _steps(record: Record) -> Iterable[str]:
    """The models that the versions of one are made of, each once."""
    found: dict[str, None] = {}
    for one in record["versions"]:
        if one.get("runtime") == ENSEMBLE_RUNTIME:
            steps = ((one.get("config") or {}).get("ensemble_scheduling") or {}).get("step") or ()
            found |= {step["model_name"]: None for step in steps if isinstance(step, dict) and "model_name" in step}
    return found


def _epoch(record: Record) -> int:
    return int(record.get("epoch", 0))
