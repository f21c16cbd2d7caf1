"""Options are those of the methods they are for."""

from __future__ import annotations

import inspect

from scurry.client.client import Client
from scurry.client.options import ClientOptions, InferOptions, StreamOptions


def keywords(method: object) -> set[str]:
    """What may only be given by name."""
    parameters = inspect.signature(method).parameters.values()  # type: ignore[arg-type]
    return {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}


def test_they_are_what_the_methods_take() -> None:
    """A new keyword is added to both, or neither."""
    assert InferOptions.__annotations__.keys() == keywords(Client.infer)
    assert StreamOptions.__annotations__.keys() == keywords(Client.infer) - {"id", "keep"}
    assert ClientOptions.__annotations__.keys() == keywords(Client.__init__)
