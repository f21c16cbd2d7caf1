"""Ask a model, await its answer."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, Self, Unpack

from scurry.client.inference import ModelCaller

if TYPE_CHECKING:
    from scurry.client.admin import Registry
    from scurry.client.options import ClientOptions


class Client(ModelCaller):
    """A caller of models, over Redis or HTTP as its URL says.

        async with Client("redis://127.0.0.1:6379/0") as client:
            outputs = await client.infer("digits", {"image": image})

    Every failure is a `ScurryError` with a code. A request sent again under its own `id` gets the first answer again.
    A URL that begins with `http` is a gateway's: then the client is an `HttpClient`, which has the same methods.
    """

    def __new__(cls, url: str = "", *_: object, **__: object) -> Self:
        """As `pathlib.Path` does: the class that fits."""
        if cls is Client and url.startswith(("http://", "https://")):
            from scurry.client.http_client import HttpClient  # noqa: PLC0415 - aiohttp only for those who use it

            return super().__new__(HttpClient)  # type: ignore[return-value] # it is a subclass
        return super().__new__(cls)

    def __init__(
        self,
        url: str = "redis://127.0.0.1:6379/0",
        *,
        namespace: str = "scurry",
        name: str | None = None,
        separate_registry: bool = False,
        retries: int = 0,
        api_key: str = "",
        admin_key: str = "",
        connections: int = 100,
    ) -> None:
        super().__init__(url, namespace=namespace, name=name, separate_registry=separate_registry)
        self._options: dict[str, Any] = {
            "namespace": namespace, "name": name, "separate_registry": separate_registry, "retries": retries,
            "api_key": api_key, "admin_key": admin_key, "connections": connections,
        }  # fmt: skip
        self._retries = retries

    @classmethod
    def from_env(cls, **options: Unpack[ClientOptions]) -> Client:
        """A client as the environment says: `SCURRY_URL`, else `SCURRY_REDIS_URL`, and what belongs to it."""
        from scurry.settings import client_options  # noqa: PLC0415 - only for those who use it

        return cls(**client_options(os.environ, options))

    @property
    def registry(self) -> Registry:
        """What changes models: register, split, promote, …"""
        from scurry.client.admin import Registry  # noqa: PLC0415 - only for those who use it

        return Registry(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process is a client of its own, to be opened there."""
        return functools.partial(Client, self._url, **self._options), ()
