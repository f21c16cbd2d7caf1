"""Route tables as they were left, to save parsing."""

from __future__ import annotations

from typing import Final

from scurry.router.routes import RouteTable

REMEMBERED: Final = 4096
"""Models whose table a process remembers."""


class Tables:
    """Tables that are good only as long as the state that comes is the state that was kept.

    What a process remembers never decides anything: where it does not fit, the state is read.
    """

    __slots__ = ("_tables",)

    def __init__(self) -> None:
        self._tables: dict[str, tuple[bytes | None, RouteTable]] = {}

    def take(self, model: str, state: bytes | None) -> RouteTable:
        """The table of this state. It is forgotten until it is put back: a pass that fails leaves nothing behind."""
        kept, table = self._tables.pop(model, (None, None))
        if table is None or kept != state:
            return RouteTable.load(state)
        table.changed = table.settled = False
        return table

    def put(self, model: str, state: bytes | None, table: RouteTable) -> None:
        """Remember the table of a state; of models that do not exist nothing is remembered."""
        if state is not None:
            if len(self._tables) >= REMEMBERED:
                del self._tables[next(iter(self._tables))]
            self._tables[model] = state, table

    def __len__(self) -> int:
        """Models that are remembered."""
        return len(self._tables)

    def __repr__(self) -> str:
        return f"<Tables of {len(self._tables)} models>"
