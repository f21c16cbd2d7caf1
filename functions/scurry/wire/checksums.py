"""Lists of checksums beside a model.

`SHA256SUMS`, as `sha256sum` writes it, or a `manifest.json`:

    {"files": {"model.onnx": {"sha256": "…", "size": 1234}}}

A `manifest.json` without `files` is somebody else's and says nothing.
"""

from __future__ import annotations

import json
import re
from typing import Final

LISTS: Final = ("SHA256SUMS", "manifest.json")
_LINE: Final = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")


def read(name: str, content: bytes) -> dict[str, str]:
    """File → SHA-256 in hexadecimal. Raises `ValueError` with what is wrong, also for a name that leads elsewhere."""
    text = content.decode()
    found = _manifest(text) if name.endswith(".json") else _lines(text)
    for each in found:
        if each.startswith("/") or "\\" in each or {"", ".", ".."} & set(each.split("/")):
            raise ValueError(f"{each!r} is not below it")
    return found


def _lines(text: str) -> dict[str, str]:
    digests: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.fullmatch(line)
        if found is not None:
            digests[found[2].removeprefix("./")] = found[1].lower()
        elif line.strip():
            raise ValueError(f"line {number} is not a digest and a name")
    return digests


def _manifest(text: str) -> dict[str, str]:
    files = json.loads(text)
    files = files.get("files") if isinstance(files, dict) else None
    if not isinstance(files, dict):
        return {}
    digests = {name: one.get("sha256") if isinstance(one, dict) else None for name, one in files.items()}
    for name, digest in digests.items():
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise ValueError(f"{name!r} has no sha256")
    return {name: str(digest).lower() for name, digest in digests.items()}
