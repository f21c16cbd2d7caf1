"""How often a process looks for objects that hold each other.

Python looks at its young objects whenever 700 more were made than went, and at older ones after ten such looks. A
process that holds hundreds of requests at a time makes and drops as many in every turn and has none of them in cycles:
its looks find nothing, and cost a tenth of its time. What does end up in cycles here is young and small (the frames of
failed tasks), and waits for a later look.
"""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 50_000
"""Objects that hold others, made and not gone again, after which the young ones are looked at."""


def settle() -> None:
    """Call once everything that lives as long as the process is there: it need not be looked at again."""
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
