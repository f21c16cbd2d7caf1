"""Opens models: in the worker, or in a process of their own.

1. What can run code out of its files is refused unless the worker was told to allow it.
2. Such a model, one whose framework does not get on with others, and one whose config says `isolated`, is opened in
   a process of its own.
3. All others are opened in the worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scurry.inference.isolated.model import isolated
from scurry.inference.loaders import LOAD_SECONDS
from scurry.runtimes.options import parse_options
from scurry.wire.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Collection

    from scurry.inference.shelf import Models
    from scurry.runtimes.catalog import Subject
    from scurry.runtimes.options import Options
    from scurry.runtimes.runtime import Runtime
    from scurry.wire.messages_pb2 import ModelSpec

MEMORY_BYTES: Final = 2 << 30
"""What a process may take, unless told otherwise."""


class IsolatingOpener:
    """Opens what it is `allow`ed to; a model's own process may take `memory` bytes, and `load_seconds` to open it."""

    def __init__(
        self,
        opener: Models,
        threads: int = 1,
        allow: Collection[str] = (),
        memory: int = MEMORY_BYTES,
        load_seconds: float = LOAD_SECONDS,
    ) -> None:
        self._opener, self._threads, self._allow = opener, threads, frozenset(allow)
        self._memory, self._load_seconds = memory, load_seconds

    def find(self, model: str, version: str, spec: ModelSpec) -> Subject:
        """The files of a spec. Raises `load_failed`, or `not_allowed` for what can run code."""
        subject = self._opener.find(model, version, spec)
        needed = subject.runtime.permission(subject.file, _options(subject, spec.config))
        if needed and needed not in self._allow:
            raise InvalidRequest("not_allowed", refusal(subject, needed))
        return subject

    def open(self, subject: Subject, config: str) -> Runtime:
        """The open model. Raises `load_failed`."""
        cls, options = subject.runtime, _options(subject, config)
        if not (options.isolated or cls.is_apart(subject.file, options)):
            return self._opener.open(subject, config)
        model = isolated(cls)(subject, options, self._header(subject, config, options), self._load_seconds)
        model.open()
        return model

    def _header(self, subject: Subject, config: str, options: Options) -> dict[str, Any]:
        """What the process has to be told to open the same."""
        return {
            "uri": str(subject.file.path),
            "runtime": subject.runtime.name,
            "config": config,
            "fingerprint": subject.fingerprint,
            "threads": options.threads or self._threads,
            "memory": options.max_memory_mb << 20 or self._memory,
        }

    def __repr__(self) -> str:
        return f"<IsolatingOpener that allows {', '.join(sorted(self._allow)) or 'nothing'}>"


def _options(subject: Subject, config: str) -> Options:
    return parse_options(config, subject.file.config, subject.runtime.known, subject.runtime.name)


def refusal(subject: Subject, needed: str) -> str:
    """Why it is not opened, and what would change that."""
    return (
        f"{subject.file.path} can run code of its own in runtime {subject.runtime.name!r}, which is off: "
        f"start scurry up or the workers with --allow {needed} (SCURRY_ALLOW) if you trust whoever made it."
    )
