"""Whether processes are gone."""

from __future__ import annotations

import asyncio
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def children(pid: int) -> list[int]:
    """The processes below this one, at any depth."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [found for child in map(int, below) for found in (child, *children(child))]


async def assert_gone(pids: list[int], *, within: float) -> None:
    """Nothing announces the end of somebody else's child, so this is looked for."""
    try:
        async with asyncio.timeout(within):
            while any(map(alive, pids)):
                await asyncio.sleep(0.02)
    except TimeoutError:
        left = {pid: Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8") for pid in pids if alive(pid)}
        raise AssertionError(f"still running: {left}") from None
