"""The door of the room: a shell on a host, and what a command there says.

Only `bot.ssh` knows the library behind it. Nothing here knows what is read from a host, or why.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol


class Address(NamedTuple):
    """Where a host listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Running(Protocol):
    """A command that runs on a host. Every failure is an OutsideError whose text an operator can act on."""

    async def read(self, most: int) -> bytes:
        """What the command has written since the last call, at most that much; waits for some. Empty at its end."""
        ...

    async def status(self) -> int:
        """The command's exit status, once it has ended. UnreachableError if the connection ended before it."""
        ...


class Line(Protocol):
    """An open connection to a host."""

    def run(self, command: str) -> AbstractAsyncContextManager[Running]:
        """Start a command of `sh`. Leaving the context closes its input and output, whatever it still does."""
        ...


class Shell(Protocol):
    """Opens connections."""

    def connected(self, address: Address) -> AbstractAsyncContextManager[Line]:
        """Enter with a connection to a host: one for all who are in such a context, closed when the last one leaves.

        LoginError for a host key that is not known, or a user that is refused; UnreachableError where nobody answers.
        """
        ...
