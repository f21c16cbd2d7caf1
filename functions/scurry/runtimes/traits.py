"""What is known of a runtime before a model of it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scurry.runtimes import files
from scurry.runtimes.options import KNOWN

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from scurry.runtimes.files import ModelFile
    from scurry.runtimes.options import Options
    from scurry.wire.messages_pb2 import Graph


class Traits:
    """What a runtime is called, what it opens, and how it gets on with others."""

    name: ClassVar[str]
    framework: ClassVar[str]
    module: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    holds_interpreter: ClassVar[bool] = False  # whether a run may keep other threads from running
    known: ClassVar[frozenset[str]] = KNOWN
    runs_code: ClassVar[bool] = False  # its files can run code: they are not opened unless that is allowed
    apart: ClassVar[bool] = False  # it does not get on with other frameworks in one process
    takes_parameters: ClassVar[bool] = False  # a request's parameters change what the model does
    takes_text: ClassVar[bool] = True  # elements of BYTES are handed over as `str`, else as `bytes`
    thread: ThreadPoolExecutor | None = None  # of the model's own, where it has a process of its own

    graph: Graph | None = None  # the steps of a model that is made of others

    @classmethod
    def locate(cls, uri: str, model: str, version: str, root: str, *, named: object = None) -> ModelFile:
        """The files behind a uri, `named` so if anyhow. Raises `load_failed`."""
        return files.locate(uri, model, version, cls.suffixes, root, named=named)

    @classmethod
    def permission(cls, file: ModelFile, options: Options) -> str:  # noqa: ARG003 - for those that look
        """What has to be allowed (`--allow`) before the files are opened, because they can run code; empty: nothing."""
        return cls.name if cls.runs_code else ""

    @classmethod
    def is_apart(cls, file: ModelFile, options: Options) -> bool:
        """Whether the files are opened in a process of their own though no config asks for that."""
        return cls.apart or bool(cls.permission(file, options))

    def close(self) -> None:
        """Let go of what does not go by itself, when nobody uses the model any more."""
