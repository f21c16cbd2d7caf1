"""Models that are fetched before they are opened.

Either from a source or from a copy that is here already; the fingerprint decides that was recorded when the model was
registered. A copy that holds it is opened without asking the source, which may be away.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, NamedTuple

from scurry.runtimes.catalog import Opener
from scurry.runtimes.checksums import check
from scurry.sources.allowed import Allowed, is_remote
from scurry.sources.cache import Cache
from scurry.sources.fetch import Sources
from scurry.wire.errors import ScurryError
from scurry.wire.messages_pb2 import ModelSpec

if TYPE_CHECKING:
    from scurry.runtimes.catalog import Subject
    from scurry.runtimes.runtime import Runtime
    from scurry.sources.fetch import Fetched


class Places(NamedTuple):
    """Where models lie and come from: what a worker and its child processes are told."""

    root: str = ""
    sources: str = ""
    cache: str = ""
    cache_bytes: int = 0

    def opener(self, threads: int) -> FetchingOpener:
        """Who opens models from there."""
        folder = Path(self.cache or Path(gettempdir()) / f"scurry-cache-{os.geteuid()}")
        sources = Sources(Allowed(self.sources), Cache(folder, self.cache_bytes), check)
        return FetchingOpener(Opener(threads, self.root), sources)


class FetchingOpener:
    """Opens what lies here as it lies, and what lies elsewhere once it is here."""

    def __init__(self, opener: Opener, sources: Sources) -> None:
        self._opener, self.sources = opener, sources

    def find(self, model: str, version: str, spec: ModelSpec) -> Subject:
        """The files of a spec, which stay as long as the subject lives. Raises `load_failed` or `not_allowed`."""
        if not is_remote(spec.uri):
            return self._opener.find(model, version, spec)
        if spec.fingerprint:
            for kept in self.sources.kept(spec.uri, model, version):
                with suppress(ScurryError):
                    found = self._find(kept, model, version, spec)
                    if found.fingerprint == spec.fingerprint:
                        return found
        return self._find(self.sources.fetch(spec.uri, model, version), model, version, spec)

    def open(self, subject: Subject, config: str) -> Runtime:
        """The open model, which keeps its files here. Raises `load_failed`."""
        return self._opener.open(subject, config)

    def _find(self, fetched: Fetched, model: str, version: str, spec: ModelSpec) -> Subject:
        here = ModelSpec(uri=str(fetched.path), runtime=spec.runtime, config=spec.config)
        found = self._opener.find(model, version, here, root=str(fetched.folder))
        return replace(found, file=replace(found.file, lease=fetched.copy))
