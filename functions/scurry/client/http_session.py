"""A client's connection to a gateway, and what that tells of models."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlencode

from scurry.client.changes import change_json
from scurry.client.client import Client
from scurry.client.http_link import HttpAnswer, HttpLink
from scurry.client.http_requests import model_path
from scurry.client.session import forks
from scurry.wire.errors import InvalidRequest, NotFound, Unavailable
from scurry.wire.messages_pb2 import Update

if TYPE_CHECKING:
    from scurry.client.streams import Streams

ASK_S: Final = 10.0
"""How long the gateway may take to tell what it knows itself."""
RECORDS: Final = "/v2/repository/models"


class HttpSession(Client):
    """Who we are, and our door to the gateway while it is open."""

    _link: HttpLink | None = None

    async def open(self) -> Self:
        """Connect; `async with` does it. Raises `Unavailable` when no gateway answers."""
        self._pid, self._forks = os.getpid(), forks.count
        self._link = HttpLink(self._url, connections=self._options["connections"])
        try:
            await self.ping()
        except BaseException:
            await self._link.close()  # kept: nobody is there, which `live` goes on to say
            raise
        return self

    async def close(self) -> None:
        """Fail what is waiting and disconnect."""
        if self._link is not None:
            try:
                await self._link.close()
            finally:
                self._link = None

    @property
    def link(self) -> HttpLink:
        """The door to the gateway."""
        if self._link is None:
            raise RuntimeError("The client is not open: use `async with Client(…)` or await client.open().")
        self.check_process()
        return self._link

    @property
    def streams(self) -> Streams:
        """There is none over HTTP: whatever needs Redis says so."""
        sentence = "A gateway offers nothing of the kind over HTTP: open the client with a redis:// URL for this."
        raise InvalidRequest("not_offered", sentence)

    async def ping(self) -> None:
        """Return when the gateway answers. Raises `Unavailable`."""
        await self._get("/v2/health/live")

    async def ready(self, model: str = "", version: str = "") -> bool:
        """Whether requests are answered at all, or by this model, or this version of it."""
        path = f"{model_path(model, version)}/ready" if model else "/v2/health/ready"
        try:
            answer = await self.link.send("GET", path, headers=self._headers, timeout=ASK_S)
        except Unavailable:
            return False
        return answer.status == HTTPStatus.OK

    async def inputs_of(self, model: str, version: str) -> Mapping[str, str]:
        """A model's inputs with their data types, as its metadata tells. Raises `NotFound`."""
        told = json.loads((await self._get(model_path(model, version))).body)
        return {port["name"]: port["datatype"] for port in told.get("inputs", ())}

    async def record(self, model: str) -> dict[str, Any] | None:
        """One model's record; None when there is none, or not yet. It needs the admin key, where there is one."""
        try:
            answer = await self._get(f"{RECORDS}/{quote(model, safe='')}", admin=True)
        except NotFound:
            return None
        record: dict[str, Any] = json.loads(answer.body)
        return record

    async def models(self, *, limit: int = 0, after: str = "") -> dict[str, dict[str, Any]]:
        """Every model's record, or a page of them. It needs the admin key, where there is one."""
        query = urlencode({"limit": limit, "after": after}) if limit or after else ""
        answer = await self._get(f"{RECORDS}?{query}".rstrip("?"), admin=True)
        records: dict[str, dict[str, Any]] = json.loads(answer.body)
        return records

    async def update(self, update: Update, *, timeout: float = 600.0, id: str = "") -> dict[str, Any]:  # noqa: A002, ASYNC109
        """Change the registry; returns the model's record once the change is in force."""
        if id:
            raise InvalidRequest("not_offered", "Over HTTP a change has no id: leave id out, or use a redis:// URL.")
        path, body = f"{RECORDS}/{quote(update.model, safe='')}", change_json(update).encode()
        answer = await self.link.call("POST", path, headers=self._admin, parts=[body], timeout=timeout)
        record: dict[str, Any] = json.loads(answer.body)
        return record

    async def _get(self, path: str, *, admin: bool = False) -> HttpAnswer:
        headers = self._admin if admin else self._headers
        return await self.link.call("GET", path, headers=headers, timeout=ASK_S)

    @property
    def _headers(self) -> Mapping[str, str]:
        key = self._options["api_key"]
        return {"Authorization": f"Bearer {key}"} if key else {}

    @property
    def _admin(self) -> Mapping[str, str]:
        key = self._options["admin_key"]
        return {"Authorization": f"Bearer {key}"} if key else self._headers

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self._link!r}>"
