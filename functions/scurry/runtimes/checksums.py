"""Holds a model's files against the checksums that lie beside them.

With a `SHA256SUMS` or a `manifest.json` every file it lists has to be there, and those that the model is made of have
to hold what it says: what was copied in part is not opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scurry.runtimes.fingerprints import digest
from scurry.wire.checksums import LISTS, read
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def check(folder: Path, files: Collection[Path] | None = None) -> None:
    """Look at a directory's checksums: of all files, or of some. Raises `load_failed`; belongs off the event loop."""
    for name in LISTS:
        try:
            content = (folder / name).read_bytes()
        except OSError:
            continue
        try:
            listed = read(name, content)
        except ValueError as cause:
            raise Failed("load_failed", f"{folder / name} is no list of checksums: {cause}.") from None
        for each, wanted in listed.items():
            path = folder / each
            if not path.is_file():
                raise Failed("load_failed", f"{path} is missing, which {name} beside it lists.")
            if (files is None or path in files) and digest(path).hex() != wanted:
                raise Failed("load_failed", f"{path} is not what {name} beside it says: its SHA-256 is another.")
