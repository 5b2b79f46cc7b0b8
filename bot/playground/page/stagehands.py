"""The door to those behind the stage: what the page can ask of the program that runs it, and that no player can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RoleSeen:
    """A process of the product. `state` is running, starting or stopped."""

    name: str
    state: str
    pid: int | None
    restarts: int


class Stagehands(Protocol):
    """All of it belongs to the page's event loop."""

    @property
    def advanced(self) -> timedelta:
        """How far the clocks of the play are ahead of this machine's."""
        ...

    def roles(self) -> list[RoleSeen]:
        """The processes, as they stand."""
        ...

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever `roles` would say something else."""
        ...

    def kill(self, role: str) -> None:
        """End a process without a warning. Refused with UserError for a name that is not there."""
        ...

    async def advance(self, by: timedelta) -> None:
        """Move every clock of the play forward."""
        ...
