"""Models on a plain web server.

It lists nothing, so a uri is a file, with what lies beside it under the usual names, or a directory whose `SHA256SUMS`
or `manifest.json` names the files. Which of both, its last name tells: a directory's ends in `/` or has no dot.

Redirects are followed below the allowed sources and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from scurry.sources.allowed import address
from scurry.sources.listing import Item, Listing, item, listing
from scurry.sources.remote import ABOVE, filesystem
from scurry.wire.checksums import LISTS, read
from scurry.wire.errors import Failed, InvalidRequest

if TYPE_CHECKING:
    from pathlib import Path

    from scurry.sources.allowed import Address, Allowed
    from scurry.sources.progress import Progress

TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
AROUND: Final = ("config.json", "config.pbtxt", *LISTS)
FORMS: Final = ("{stem}.bin", "{leaf}.data", "{leaf}_data", "{stem}.pdiparams", "{stem}.caffemodel")
"""What exporters call a model's weights."""
ABSENT: Final = frozenset({403, 404, 410})
"""What servers answer where they give nothing; stores that may not be listed say 403 of what is not there."""
LARGEST: Final = 4 << 20
"""A list of checksums is no larger."""


class Web:
    """Files by HTTP."""

    def __init__(self, scheme: str, allowed: Allowed) -> None:
        self._allowed = allowed
        self._fs = filesystem(scheme, get_client=self._client)

    def list(self, place: Address, model: str, version: str) -> Listing:
        """The files of a version as they are just now. Raises `load_failed`, and what the server answers."""
        if "." in place.leaf and place.names:
            return self._file(place)
        for directory in (place.below(model, version), place.below(version), place):
            for name in LISTS:
                if (head := self._head(directory.below(name))) is not None:
                    return self._directory(directory, name, head)
        raise Failed(
            "load_failed",
            f"{place} cannot be listed: name a file, or put {' or '.join(LISTS)} into the directory of the version.",
        )

    def get(self, found: Item, target: Path, progress: Progress) -> None:
        """Copy one of them."""
        self._fs.get_file(found.source, str(target), callback=progress)

    def _file(self, place: Address) -> Listing:
        folder, leaf = place.parent, place.leaf
        stem = leaf.rpartition(".")[0]
        if (found := self._head(place)) is None:
            raise Failed("load_failed", f"The server gives no file {place}.")
        names = [*AROUND, *(form.format(stem=stem, leaf=leaf) for form in FORMS)]
        beside = {name: self._head(folder.below(name)) for name in names if self._allowed.permits(folder.below(name))}
        return self._listing(folder, leaf, {leaf: found, **beside})

    def _directory(self, directory: Address, name: str, head: dict[str, Any]) -> Listing:
        """What a list of checksums names, and the configs beside it."""
        if int(head.get("size") or 0) > LARGEST:
            raise Failed("load_failed", f"{directory.below(name)} is too large to be a list of checksums.")
        content = self._fs.cat_file(str(directory.below(name)))
        try:
            named = read(name, content)
        except ValueError as cause:
            raise Failed("load_failed", f"{directory.below(name)} is no list of checksums: {cause}.") from None
        found: dict[str, dict[str, Any] | None] = {each: self._required(directory, each) for each in named}
        found |= {each: self._head(directory.below(each)) for each in AROUND if each not in found}
        return self._listing(directory, "", found)

    def _required(self, directory: Address, name: str) -> dict[str, Any]:
        place = address(str(directory.below(name)))  # it is somebody's text
        if (found := self._head(place)) is None:
            raise Failed("load_failed", f"There is no file {place}, which the list of checksums beside it names.")
        return found

    def _listing(self, folder: Address, leaf: str, found: dict[str, dict[str, Any] | None]) -> Listing:
        items = {
            f"{folder.leaf}/{name}": item(f"{folder.leaf}/{name}", str(folder.below(name)), info)
            for name, info in found.items()
            if info is not None
        }
        above = folder.parent.below(ABOVE)
        if folder.leaf.isdecimal() and self._allowed.permits(above) and (info := self._head(above)) is not None:
            items[ABOVE] = item(ABOVE, str(above), info)
        return listing(f"{folder.leaf}/{leaf}".rstrip("/"), items)

    def _head(self, place: Address) -> dict[str, Any] | None:
        """What the server tells of a file; None when it gives none there."""
        try:
            info: dict[str, Any] = self._fs.info(str(place))
        except FileNotFoundError as missing:  # fsspec says so whatever it was
            cause = missing.__cause__
            if cause is None or isinstance(cause, FileNotFoundError) or getattr(cause, "status", 0) in ABSENT:
                return None
            raise cause from None
        return info

    async def _client(self, **options: Any) -> aiohttp.ClientSession:  # noqa: ANN401 - fsspec's
        """A session that goes nowhere it may not. Proxies and `.netrc` are the environment's."""
        watch = aiohttp.TraceConfig()
        watch.on_request_redirect.append(self._judge)
        return aiohttp.ClientSession(**options, trust_env=True, timeout=TIMEOUT, trace_configs=[watch])

    async def _judge(self, _: aiohttp.ClientSession, __: object, redirect: aiohttp.TraceRequestRedirectParams) -> None:
        headers = redirect.response.headers
        there = redirect.url.join(URL(headers.get("Location") or headers.get("URI") or "")).with_query(None)
        try:
            permitted = self._allowed.permits(address(str(there.with_fragment(None))))
        except InvalidRequest:
            permitted = False
        if not permitted:
            there = URL.build(scheme=there.scheme, host=there.host or "", port=there.explicit_port, path=there.path)
            raise InvalidRequest("not_allowed", f"{redirect.url} leads to {there}, which is no source of this worker.")
