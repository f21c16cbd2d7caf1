"""Commands that are not sent yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from scurry.redis.connection import Command

UNSENT: Final = 256
"""From so many unsent commands on, those that nobody waits for any more are dropped."""


class Outbox:
    """Commands in the order in which they will be sent."""

    def __init__(self) -> None:
        self._commands: list[Command] = []

    def add(self, command: Command) -> None:
        """Put a command behind the others; every so often, forget those that nobody waits for."""
        self._commands.append(command)
        if len(self._commands) % UNSENT == 0:
            self._commands = [command for command in self._commands if command.wanted]

    def return_first(self, owed: Iterable[Command]) -> None:
        """Put what was sent in vain before the others, so far as somebody waits for it."""
        self._commands = [command for command in (*owed, *self._commands) if command.wanted]

    def take(self) -> list[Command]:
        """Everything, which is then no longer here."""
        taken, self._commands = self._commands, []
        return taken

    def __len__(self) -> int:
        return len(self._commands)

    def __repr__(self) -> str:
        return f"<Outbox {len(self._commands)} unsent>"
