"""What a caller may say besides the model and its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import numpy.typing as npt

    from scurry.wire.tensors import Array

    Inputs = Mapping[str, npt.ArrayLike] | npt.ArrayLike
    """Arrays by the names of the model's inputs, or one array for its only input."""
    Outputs = dict[str, Array]
    """Arrays by the names of the model's outputs."""


class InferOptions(TypedDict, total=False):
    """What `Client.infer` may be told besides."""

    version: str
    outputs: Sequence[str]
    id: str
    timeout: float
    key: str
    keep: int | None
    parameters: Mapping[str, bool | int | float | str] | None
    bulk: bool
    priority: int
    tenant: str
    retries: int | None


class StreamOptions(TypedDict, total=False):
    """What `Client.stream` may be told of each request: the same, but for the id."""

    version: str
    outputs: Sequence[str]
    timeout: float
    key: str
    parameters: Mapping[str, bool | int | float | str] | None
    bulk: bool
    priority: int
    tenant: str
    retries: int | None


class ClientOptions(TypedDict, total=False):
    """What a client is made with besides its URL."""

    namespace: str
    name: str | None
    separate_registry: bool
    retries: int
    api_key: str
    admin_key: str
    connections: int
