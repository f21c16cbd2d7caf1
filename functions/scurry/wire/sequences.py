"""What names a step of a sequence: parameters as Triton's clients send.

`sequence_id` (a whole number or text; 0 and empty name none), `sequence_start` and `sequence_end`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scurry.wire.errors import InvalidRequest

ID: Final = "sequence_id"
START: Final = "sequence_start"
END: Final = "sequence_end"
PARAMETERS: Final = (ID, START, END)

ID_BYTES: Final = 128
"""UTF-8 bytes of a sequence's id at most."""
STATE_BYTES: Final = 256 * 1024
"""What one sequence may keep between two steps: it travels to the worker and back with each of them."""
IDLE_MS: Final = 60_000
"""How long a sequence without a step is kept, where the config does not say."""
LONGEST_IDLE_MS: Final = 24 * 3_600_000
STEPS: Final = -2
"""Lane of a `Done` that reports steps of sequences."""


def read(parameters: Mapping[str, object]) -> tuple[str, bool, bool]:
    """Id, start and end; without an id the first is empty. Raises `bad_request` for what can be none of them."""
    given = parameters.get(ID, "")
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise InvalidRequest("bad_request", f"Parameter {ID!r} must be a whole number or text.")
    name = str(given) if given else ""
    if len(name.encode()) > ID_BYTES:
        raise InvalidRequest("bad_request", f"Parameter {ID!r} has more than {ID_BYTES} bytes.")
    return name, _flag(parameters, START), _flag(parameters, END)


def _flag(parameters: Mapping[str, object], name: str) -> bool:
    value = parameters.get(name, False)
    if value not in (False, True):
        raise InvalidRequest("bad_request", f"Parameter {name!r} must be true or false.")
    return bool(value)
