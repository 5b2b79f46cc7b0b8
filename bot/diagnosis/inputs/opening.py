"""Opens a unit and hands out the texts in it, one after the other. What cannot be read becomes a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from bot.diagnosis.inputs.member import Limits, Member, Note, UnreadableError
from bot.diagnosis.inputs.unit import Unit
from bot.diagnosis.sources import OpenSource, Source
from bot.diagnosis.verdict import Trouble

_DEFAULT = Limits()


class _Pulled:
    def __init__(self, opened: OpenSource) -> None:
        self._opened = opened

    def readinto(self, buffer: memoryview, /) -> int:
        data = self._opened.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def members(
    unit: Unit, *, stdin: BinaryIO | None = None, limits: Limits = _DEFAULT
) -> Iterator[Member | Trouble | Note]:
    """Open a unit and yield its texts; each is valid until the next is asked for. Raises nothing."""
    _ = limits
    try:
        opened = OpenSource(Source(unit.name, unit.path, unit.named), stdin)
    except UnreadableError as refusal:
        yield Trouble(unit.name, str(refusal))
        return
    except Exception as refusal:  # noqa: BLE001 - the old room's own error, until it is gone
        yield Trouble(unit.name, str(refusal))
        return
    try:
        if opened.empty:
            yield (Trouble if unit.named else Note)(unit.name, "empty: there is nothing to read")
        else:
            modified = datetime.fromtimestamp(unit.path.stat().st_mtime, UTC) if unit.path else None
            yield Member(unit.name, unit.named, modified, _Pulled(opened))
    finally:
        opened.close()
