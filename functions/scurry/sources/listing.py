"""What lies at a source: names, sizes, marks by which changes show."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scurry.sources.allowed import is_plain
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 10_000
"""Files of one version."""
MARKS: Final = (
    "ETag", "etag", "md5Hash", "Content-MD5", "generation", "LastModified", "Last-Modified", "mtime", "created",
)  # fmt: skip
"""What file systems call that by which a change shows, the surest first."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file: its name below the copy, where it lies at the source, how large it is, and its mark."""

    name: str
    source: str
    size: int
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of one version, by name; `start` is the file or directory that is the model."""

    start: str
    items: tuple[Item, ...]

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(item.size for item in self.items)

    @property
    def marked(self) -> bool:
        """Whether a change of any of them would show."""
        return all(item.mark for item in self.items)

    @property
    def digest(self) -> str:
        """The same for what looks the same."""
        text = json.dumps([self.start, [(item.name, item.size, item.mark) for item in self.items]])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def listing(start: str, items: Mapping[str, Item]) -> Listing:
    """A listing in the order of the names. Raises `load_failed` for what cannot be copied as it lies."""
    if len(items) > MOST:
        raise Failed("load_failed", f"There are {len(items):,} files at the source of this version; {MOST:,} may be.")
    for name in items:
        if not all(map(is_plain, name.split("/"))):
            raise Failed("load_failed", f"A file at the source is called {name[:80]!r}, which may lead elsewhere.")
    return Listing(start, tuple(items[name] for name in sorted(items)))


def item(name: str, source: str, info: Mapping[str, Any]) -> Item:
    """A file as its file system describes it. Raises `load_failed` when it does not say how large it is."""
    size = info.get("size")
    if not isinstance(size, int) or size < 0:
        raise Failed("load_failed", f"The source does not say how large {name!r} is.")
    return Item(name, source, size, next((str(info[mark]) for mark in MARKS if info.get(mark)), ""))
