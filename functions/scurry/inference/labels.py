"""Labels of a model's outputs, which lie in files beside it.

Triton's `label_filename` of an `output`: the classes' names, a line for each. They travel in the model's record to
those who tell an output by its classes, so that they are bounded. They are no part of what the model computes: what is
wrong with a file is a warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

NAME: Final = "label_filename"
MOST_BYTES: Final = 32 * 1024
"""Of all labels of a version: with their synonyms, the thousand classes of ImageNet have 31 KB."""


class Labels:
    """What was read, by output, and what could not be."""

    def __init__(self) -> None:
        self.found: dict[str, Sequence[str]] = {}
        self.warnings: list[str] = []
        self._bytes = 0

    def read(self, output: str, name: str, beside: Callable[[str], Path]) -> None:
        """Keep the lines of a file, or say why not."""
        try:
            path = beside(name)
            size = path.stat().st_size
            if size + self._bytes > MOST_BYTES:
                raise Failed("load_failed", f"labels of a version may have {MOST_BYTES} bytes, {name!r} has {size}.")
            self.found[output] = path.read_text("utf-8").splitlines()
            self._bytes += size
        except Failed as cause:
            self._miss(output, cause.message)
        except (OSError, UnicodeDecodeError):
            self._miss(output, f"{name!r} is no file of UTF-8 text that can be read.")

    def _miss(self, output: str, why: str) -> None:
        self.warnings.append(f"Classes of output {output!r} have no labels: {why}")


def labels_beside(config: Mapping[str, Any], beside: Callable[[str], Path]) -> Labels:
    """The labels that a config names for outputs."""
    labels = Labels()
    outputs = config.get("output")
    for each in outputs if isinstance(outputs, list) else ():
        name = each.get(NAME) if isinstance(each, dict) else None
        if isinstance(name, str) and name:
            labels.read(str(each.get("name")), name, beside)
    return labels
