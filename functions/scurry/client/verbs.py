"""The registry's verbs with plain Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from scurry.client.changes import change
from scurry.wire.errors import InvalidRequest

if TYPE_CHECKING:
    from scurry.client.client import Client
    from scurry.client.records import ModelRecord, Tenant

CHANGE_S: Final = 600.0
"""How long a change may take: what loads a model is answered once it is loaded."""
SHADOW_PERCENT: Final = 10.0


class RegistryVerbs:
    """Changes of one model each; each is in force when it returns, with the model's record."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def alias(self, model: str, alias: str, version: str = "") -> ModelRecord:
        """A second name for a version; an empty one forgets it."""
        return await self._change(model, "alias", alias=alias, version=version)

    async def split(self, model: str, weights: Mapping[str, int]) -> ModelRecord:
        """Share the requests that name no version: version → weight."""
        return await self._change(model, "split", weights=dict(weights))

    async def promote(self, model: str, version: str) -> ModelRecord:
        """Give all requests that name no version to one."""
        return await self._change(model, "promote", version=version)

    async def rollback(self, model: str) -> ModelRecord:
        """Back to the routes before the last change; again, and it goes further back."""
        return await self._change(model, "rollback")

    async def shadow(self, model: str, version: str = "", *, percent: float | None = None) -> ModelRecord:
        """Copy requests to a version that no caller hears of (10 percent); an empty version ends it."""
        percent = SHADOW_PERCENT if version and percent is None else percent
        return await self._change(model, "shadow", version=version, percent=percent)

    async def policy(
        self, model: str, *, latest: int | None = None, all: bool = False, specific: Sequence[str] | None = None  # noqa: A002
    ) -> ModelRecord:
        """Which registered versions are in memory: so many, all, or these; exactly one of the three."""
        told = {"latest": latest, "all": all or None, "specific": list(specific) if specific is not None else None}
        if sum(one is not None for one in told.values()) != 1:
            raise InvalidRequest("bad_request", "A policy is one of latest=N, all=True and specific=[…].")
        return await self._change(model, "policy", **told)

    async def limits(
        self,
        model: str,
        *,
        max_queue_size: int | None = None,
        default_timeout: float | None = None,
        max_timeout: float | None = None,
        tenants: Mapping[str, Tenant] | None = None,
    ) -> ModelRecord:
        """What requests may take, in place of the former limits as a whole; time-outs in seconds."""
        return await self._change(
            model, "limits", max_queue_size=max_queue_size, default_timeout_microseconds=_micros(default_timeout),
            max_timeout_microseconds=_micros(max_timeout), tenants=None if tenants is None else dict(tenants),
        )  # fmt: skip

    async def lanes(self, model: str, *, min: int | None = None, max: int | None = None) -> ModelRecord:  # noqa: A002
        """On how many lanes each version computes: always, and at most; nothing: as its config says."""
        return await self._change(model, "lanes", min=min, max=max)

    async def load(self, model: str, version: str) -> ModelRecord:
        """Bring a registered version into memory, its files read anew."""
        return await self._change(model, "load", version=version)

    async def unload(self, model: str, version: str, *, force: bool = False) -> ModelRecord:
        """Take a version out of memory; it stays registered. `force` also one that takes requests."""
        return await self._change(model, "unload", version=version, force=force or None)

    async def pin(self, model: str, version: str, *, pinned: bool = True) -> ModelRecord:
        """Keep a version in memory whatever else wants room there, or no longer."""
        return await self._change(model, "pin", version=version, pinned=pinned)

    async def rollout(
        self,
        model: str,
        version: str,
        steps: Sequence[float],
        *,
        hold: float,
        min_requests: int | None = None,
        max_error_rate: float | None = None,
        max_latency_ratio: float | None = None,
        max_disagreement: float | None = None,
        compare_percent: float | None = None,
    ) -> ModelRecord:
        """Give a version its share by steps (percent), each held for `hold` seconds, or none when a guard breaks."""
        return await self._change(
            model, "rollout", version=version, steps=list(steps), hold_ms=int(hold * 1000), min_requests=min_requests,
            max_error_rate=max_error_rate, max_latency_ratio=max_latency_ratio, max_disagreement=max_disagreement,
            compare_percent=compare_percent,
        )  # fmt: skip

    async def abort_rollout(self, model: str) -> ModelRecord:
        """End the rollout that runs, as a broken guard would."""
        return await self._change(model, "rollout", abort=True)

    async def _change(self, model: str, verb: str, **fields: Any) -> ModelRecord:  # noqa: ANN401 - as the verb takes them
        return cast("ModelRecord", await self._client.update(change(model, verb, fields), timeout=CHANGE_S))


def _micros(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1_000_000)
