"""Processes that are ended together."""

from __future__ import annotations

import asyncio

from scurry.serving.processes import Child, Plan


class Children:
    """Starts them one by one; nothing of theirs outlives the end."""

    def __init__(self) -> None:
        self._all: list[Child] = []

    async def run(self, plan: Plan) -> Child:
        """Start one more."""
        child = Child(plan)
        await child.start()
        self._all.append(child)
        return child

    async def stop(self) -> None:
        """End every one now."""
        for child in self._all:
            child.kill()
        await asyncio.gather(*(child.end() for child in self._all))

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return f"<Children {len(self)}, {sum(1 for child in self._all if child.pid)} running>"
