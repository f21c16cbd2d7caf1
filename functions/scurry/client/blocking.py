"""The client for code without an event loop.

Each method is that of the asynchronous class, run on a thread of its own: `blocking` takes its arguments, types and
docstring from there.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, Self, TypeVar, Unpack

from scurry.client.admin import Registry
from scurry.client.client import Client
from scurry.client.pending import Pending

if TYPE_CHECKING:
    from scurry.client.options import InferOptions, Inputs, Outputs, StreamOptions
    from scurry.client.streaming import StreamReply

T = TypeVar("T")
P = ParamSpec("P")


class Facade(Protocol):
    """Stands for an object that lives on a loop's thread."""

    def run(self, name: str, args: tuple[object, ...], options: dict[str, object]) -> Any:  # noqa: ANN401
        """What that object's method of this name returns."""
        ...


def blocking(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Any, P], T]:
    """The same method of a façade."""

    @functools.wraps(method)
    def call(self: Facade, /, *args: P.args, **options: P.kwargs) -> T:
        found: T = self.run(method.__name__, args, options)
        return found

    return call
