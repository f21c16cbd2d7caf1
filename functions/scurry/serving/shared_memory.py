"""Memory for large tensors of callers on this machine.

They leave them in a folder of it for the workers of `scurry up`: `wire/shared_payloads.py` says how.
"""

from __future__ import annotations

import logging
import os
from hashlib import blake2b
from pathlib import Path

from scurry.client.client import Client
from scurry.job.module import read_user_functions
from scurry.settings import UpSettings
from scurry.wire.errors import ScurryError
from scurry.wire.shared_payloads import SharedFolder, clear_deserted

log = logging.getLogger(__name__)


class SharedMemory:
    """The folder of one data directory, the same at each start; None where there is no such memory."""

    def __init__(self, settings: UpSettings, data: Path) -> None:
        self._settings = settings
        memory = Path(settings.shared_memory)
        prefix, digest = f"scurry-{os.geteuid()}-", blake2b(os.fsencode(data), digest_size=6).hexdigest()
        self._pattern = f"{prefix}*"
        self.folder = memory / (prefix + digest) if settings.shared_memory and memory.is_dir() else None
        self._made: SharedFolder | None = None

    async def offer(self, module: Path, redis_url: str) -> None:
        """Tell callers of the folder through Redis, or that there is none any more.

        A user's own functions look for parked tensors in Redis: where the module has such, nobody is told. Where Redis
        does not let us tell, all goes through Redis as well.
        """
        token = "" if read_user_functions(module) else self._prepared()
        try:
            async with Client(redis_url, namespace=self._settings.namespace) as client:
                key = client.keys.shared_payloads
                await (client.command("SET", key, f"{self.folder} {token}") if token else client.command("DEL", key))
        except ScurryError as exc:
            log.warning("callers on this machine send large tensors through Redis: %s", exc)

    def close(self) -> None:
        """Remove what nobody needs any more."""
        if self._made is not None:
            self._made.close()

    def _prepared(self) -> str:
        """The token of the folder, once it is there; folders that a killed `scurry up` left are removed."""
        if self.folder is None:
            return ""
        try:
            self._made = SharedFolder(self.folder)
            clear_deserted(self.folder.parent, self._pattern)
        except OSError as exc:
            log.warning("%s cannot be used: %s", self.folder, exc.strerror or exc)
            return ""
        return self._made.token

    def __repr__(self) -> str:
        return f"<SharedMemory {self.folder}>"
