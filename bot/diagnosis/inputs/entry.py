"""What archives are made of, whichever kind they are."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from bot.diagnosis.inputs.member import Stream
from bot.diagnosis.records import dataclass


class EntryKind(Enum):
    FILE = auto()
    FOLDER = auto()
    LINK = auto()
    DEVICE = auto()
    ENCRYPTED = auto()
    OVERLAPPING = auto()
    UNKNOWN_PACKING = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `name` is as the archive has it; `body` is empty but for files, and valid until the next entry."""

    name: str
    kind: EntryKind
    size: int
    modified: datetime | None
    body: Stream | None = None
