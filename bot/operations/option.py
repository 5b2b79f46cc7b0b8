"""What can be asked for beside a move with a yes or no: typed, ticked in a form, or a column of a list. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from bot.errors import UserError

_DISK: Final = "Hard disk"


class Option(StrEnum):
    """An option. Its value is what is typed, without the dashes; what it does is said where a request has it."""

    THIN = "thin"
    SHUTDOWN = "shutdown"
    POWER_ON = "power-on"
    DISCONNECT_ISO = "disconnect-iso"
    CONSOLIDATE = "consolidate"
    FORCE = "force"
    WHEN_CLEAN = "when-clean"

    @property
    def typed(self) -> str:
        return f"--{self.value}"


def pair(text: str, into: dict[str, str], *, option: str, example: str) -> None:
    """Read FROM=TO, a network or a disk, into what was said so far. UserError for another form, and for a double."""
    source, _, target = (part.strip() for part in text.partition("="))
    if not source or not target:
        raise UserError(f"{option} takes FROM=TO, not '{text}'.", example=example)
    if source in into:
        raise UserError(f"{option} was given twice for '{source}'. Once is enough.", example=example)
    into[source] = target


def disk_label(text: str) -> str:
    """The disk that somebody means: `2`, `disk 2` and `hard disk 2` are `Hard disk 2`; any other name is one."""
    words = text.split()
    number = words[-1] if words else ""
    called = " ".join(words[:-1]).casefold()
    if number.isascii() and number.isdigit() and called in ("", "disk", _DISK.casefold()):
        return f"{_DISK} {int(number)}"
    return text.strip()
