"""Settings whose values may stand in files, as secrets are mounted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scurry.rules import InvalidSettings

FILE: Final = "_FILE"
SECRETS: Final = ("SCURRY_REDIS_URL", "SCURRY_ADMIN_KEY", "SCURRY_CALLBACK_SECRET", "SCURRY_API_KEY")
FILE_VARIABLES: Final = frozenset(name + FILE for name in SECRETS)
"""Variables that name such files. The job reads the first likewise."""


def with_files(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with what stands in files, unless it is said there. Raises `InvalidSettings`."""
    found = dict(environ)
    for variable in SECRETS:
        path = environ.get(variable + FILE)
        if path and not environ.get(variable):
            try:
                found[variable] = Path(path).read_text().strip()
            except (OSError, UnicodeDecodeError) as cause:
                raise InvalidSettings(f"{variable}{FILE} names {path}, which cannot be read: {cause}.") from None
    return found
