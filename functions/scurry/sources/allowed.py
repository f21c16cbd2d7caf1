"""Which places models may be fetched from.

`SCURRY_SOURCES` lists prefixes, with commas between: `s3://bucket/models,https://models.example.org/`. A uri is fetched
when it has the scheme and the host of one of them and lies below its path, name by name. There is no default: without
the setting nothing is fetched. A uri says where a model lies and no more: what holds credentials, or could be read as
another place by whoever follows it (`..`, also in any encoding), is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from scurry.wire.errors import InvalidRequest

SETTING: Final = "SCURRY_SOURCES"
LOCAL: Final = frozenset({"file", "local"})
"""Schemes of this machine's own files: they are opened where they lie, below the models' root."""
HTTP: Final = frozenset({"http", "https"})
_PARTS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/]*)(/.*)?", re.DOTALL)
_ENCODED: Final = 4
"""So often a name may be encoded before nobody means anything good by it."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Address:
    """A place: scheme, host or bucket, and the names below it."""

    scheme: str
    host: str
    names: tuple[str, ...] = ()

    def below(self, *names: str) -> Address:
        """A place below this one."""
        return Address(self.scheme, self.host, (*self.names, *names))

    @property
    def parent(self) -> Address:
        """The place above; the host's own is itself."""
        return Address(self.scheme, self.host, self.names[:-1])

    @property
    def leaf(self) -> str:
        """The last name; the host's where there is none."""
        return self.names[-1] if self.names else self.host

    def __str__(self) -> str:
        return "/".join((f"{self.scheme}://{self.host}", *self.names))


def is_remote(uri: str) -> bool:
    """Whether a uri is to be fetched, or refused, rather than opened where it lies."""
    found = _PARTS.match(uri)
    return found is not None and found[1].lower() not in LOCAL


def address(uri: str) -> Address:
    """A uri taken apart. Raises `not_allowed` for one that holds more than a place."""
    found = _PARTS.fullmatch(uri)
    if found is None or not found[2]:
        raise _refused("A uri has a scheme, a host or bucket, and a path, as in s3://bucket/models/net.")
    scheme, host, path = found[1].lower(), found[2], found[3] or ""
    if "@" in host:
        raise _refused("A uri holds no credentials: they are the worker's, in the environment variables of the store.")
    if "?" in uri or "#" in uri:
        raise _refused(f"{scheme}://{host}… has a query or a fragment: a uri names a place and no more.")
    names = tuple(path.strip("/").split("/")) if path.strip("/") else ()
    for name in (host, *names):
        if not is_plain(name):
            raise _refused(f"{name[:80]!r} in a uri may lead elsewhere than it says.")
    return Address(scheme, host.lower() if scheme in HTTP else host, names)


def is_plain(name: str) -> bool:
    """Whether a name stands for itself in a path, however often it is decoded."""
    for _ in range(_ENCODED):
        if not name or name in {".", ".."} or "/" in name or "\\" in name or _CONTROL.search(name):
            return False
        decoded = unquote(name)
        if decoded == name:
            return True
        name = decoded
    return False


class Allowed:
    """The prefixes below which models are fetched."""

    def __init__(self, prefixes: str = "") -> None:
        self._prefixes = tuple(address(each.strip()) for each in prefixes.split(",") if each.strip())

    def check(self, uri: str) -> Address:
        """The place a uri names. Raises `not_allowed`."""
        if uri.lower().startswith("oci://"):
            raise _refused("Images are not pulled: mount the image as a volume and register its path.")
        place = address(uri)
        if not self.permits(place):
            here = ", ".join(map(str, self._prefixes)) or "nothing"
            raise _refused(f"{place} is not below a source of this worker ({SETTING}: {here}).")
        return place

    def permits(self, place: Address) -> bool:
        """Whether a place lies below one of the prefixes."""
        return any(
            (place.scheme, place.host) == (each.scheme, each.host) and place.names[: len(each.names)] == each.names
            for each in self._prefixes
        )

    def __repr__(self) -> str:
        return f"<Allowed {', '.join(map(str, self._prefixes)) or 'nothing'}>"


def _refused(sentence: str) -> InvalidRequest:
    return InvalidRequest("not_allowed", sentence)
