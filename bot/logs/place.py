"""Where reading stands in a log that is a file of bytes, and how bytes become lines there. Pure.

A place is behind the last line that was delivered. What stands before it, its mark, tells whether a file is still the
one that was read: an offset alone cannot, where a new file has grown past it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from bot.hostlog.cursor import Line

MARK: Final = 256
LONGEST_LINE: Final = 64 * 1024
_FORM: Final = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Behind `offset` bytes of a file, the last of which are `mark`. `number` is that of the line to be delivered next.

    At the very start there is no mark, and any file is right.
    """

    offset: int = 0
    mark: bytes = b""
    number: int = 1

    @property
    def start(self) -> int:
        """Where to read from, in order to see the mark first."""
        return self.offset - len(self.mark)

    @property
    def last_line(self) -> bytes:
        """The last line that was delivered, or the end of it."""
        return self.mark[self.mark[:-1].rfind(b"\n") + 1 :]

    def past(self, taken: bytes, *, lines: int) -> Place:
        """The place behind so many bytes more."""
        return Place(self.offset + len(taken), (self.mark + taken[-MARK:])[-MARK:], self.number + lines)

    def at_start(self) -> Place:
        """The start of the next file; numbers go on."""
        return Place(number=self.number)

    def to_cursor(self) -> str:
        return json.dumps([_FORM, self.offset, self.number, self.mark.decode("latin-1")])

    @staticmethod
    def from_cursor(text: str) -> Place | None:
        """The place that was kept; None for nothing, or what another kind of source has kept."""
        try:
            version, offset, number, mark = json.loads(text)
            place = Place(int(offset), str(mark).encode("latin-1"), int(number))
        except (ValueError, TypeError):
            return None
        return place if version == _FORM and 0 <= len(place.mark) <= place.offset else None


class LineCutter:
    """Cuts what is read into lines and keeps count of the place. A line that is half there waits for its end.

    One that is longer than 64 KiB may come in pieces. What is no UTF-8 becomes replacement characters.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._half = b""

    def take(self, data: bytes) -> list[Line]:
        """Return the lines that are whole now."""
        whole, newline, half = (self._half + data).rpartition(b"\n")
        self._half = half
        lines = self._deliver(whole + newline) if newline else []
        while len(self._half) >= LONGEST_LINE:
            piece, self._half = self._half[:LONGEST_LINE], self._half[LONGEST_LINE:]
            lines += self._deliver(piece)
        return lines

    def finish(self) -> list[Line]:
        """The file will not grow any more: what is left of it is a line too."""
        half, self._half = self._half, b""
        return self._deliver(half) if half else []

    def forget(self) -> None:
        """What came behind the place will be read again."""
        self._half = b""

    def _deliver(self, data: bytes) -> list[Line]:
        texts = data.removesuffix(b"\n").split(b"\n")
        first = self.place.number
        self.place = self.place.past(data, lines=len(texts))
        return [
            Line(number, text.removesuffix(b"\r").decode("utf-8", "replace"))
            for number, text in enumerate(texts, start=first)
        ]
