"""What every part is given: its dice, its size, a folder, and a nursery that is there when it is first needed."""

from __future__ import annotations

import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.chaos.nursery import Nursery, nursery


class Scale(StrEnum):
    SHORT = "short"  # in CI, all parts together under three minutes
    FULL = "full"  # the numbers that were promised, each part under five


@dataclass(eq=False)
class Stage:
    """The dice belong to the part and the seed, so that a part alone rolls what it rolls among the others."""

    part: str
    seed: int
    scale: Scale
    folder: Path
    _stack: AsyncExitStack
    dice: random.Random = field(init=False)
    _nursery: Nursery | None = None

    def __post_init__(self) -> None:
        self.dice = random.Random(f"{self.seed} {self.part}")

    def many(self, full: int, short: int) -> int:
        """How often, at this scale."""
        return full if self.scale is Scale.FULL else short

    def new_folder(self) -> Path:
        """An empty one."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    async def nursery(self) -> Nursery:
        """The one nursery of the part."""
        if self._nursery is None:
            self._nursery = await self._stack.enter_async_context(nursery(self.folder / "nursery.log"))
        return self._nursery


@asynccontextmanager
async def stage(part: str, *, seed: int, scale: Scale) -> AsyncIterator[Stage]:
    """A stage for one part; nothing is left of it afterwards."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        async with AsyncExitStack() as stack:
            yield Stage(part, seed, scale, Path(folder), stack)
