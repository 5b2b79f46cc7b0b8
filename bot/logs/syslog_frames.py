"""Where messages begin and end in the bytes of a connection. Pure, one connection at a time.

Octets are counted (RFC 6587, 3.4.1; RFC 5425) where a message begins with a count, a blank and a `<`; otherwise it ends
with a newline or a NUL. That is asked wherever a read begins with a message, and after each counted one, because
senders are known that mix: a count that does not fit is looked upon as text up to the next newline.
"""

from __future__ import annotations

import re
from typing import Final

from bot.logs.syslog_header import LIMIT

_COUNT: Final = re.compile(rb"([1-9]\d{0,6}) ?(?=<)")
_BEGUN: Final = re.compile(rb"[1-9]\d{0,6} ?")
_DIGITS: Final = frozenset(b"123456789")


class Frames:
    """Takes bytes as they come, and gives whole lines. Keeps at most one message's beginning."""

    __slots__ = ("_carry", "_skip_line", "_skip_octets", "cut")

    def __init__(self) -> None:
        self._carry = b""
        self._skip_octets = 0
        self._skip_line = False
        self.cut = 0
        """Messages whose end was skipped, because they were longer than anybody's."""

    def feed(self, data: bytes) -> bytes:
        """Return the messages that are complete, each ended by one newline or, where it has several lines, by more."""
        if self._skip_octets or self._skip_line:
            data = self._without_skipped(data)
        if b"\0" in data:
            data = data.replace(b"\0", b"\n")
        if self._carry:
            data = self._carry + data
            self._carry = b""
        if data and data[0] in _DIGITS and (_COUNT.match(data) or _BEGUN.fullmatch(data)):
            return self._counted(data)
        return self._lines(data)

    def rest(self) -> bytes:
        """What had begun when the connection ended."""
        carry, self._carry = self._carry, b""
        return carry + b"\n" if carry else b""

    def _lines(self, data: bytes) -> bytes:
        end = data.rfind(b"\n") + 1
        if end == len(data):
            return data
        if len(data) - end > LIMIT:
            self._skip_line = True
            self.cut += 1
            return data[: end + LIMIT] + b"\n"
        self._carry = data[end:]
        return data[:end]

    def _counted(self, data: bytes) -> bytes:
        messages = []
        place, end = 0, len(data)
        while place < end:
            count = _COUNT.match(data, place)
            if count is None:
                if _BEGUN.fullmatch(data, place):
                    self._carry = data[place:]
                else:
                    messages.append(self._lines(data[place:]).rstrip(b"\n"))
                break
            start, octets = count.end(), int(count[1])
            whole = start + octets <= end
            if not whole and end - start < min(octets, LIMIT):
                self._carry = data[place:]
                break
            messages.append(data[start : start + min(octets, LIMIT)].rstrip(b"\n"))
            self.cut += octets > LIMIT
            self._skip_octets = max(start + octets - end, 0)
            place = start + octets
            while data.startswith(b"\n", place):
                place += 1
        return b"\n".join(messages) + b"\n" if messages else b""

    def _without_skipped(self, data: bytes) -> bytes:
        if self._skip_octets:
            skipped = min(self._skip_octets, len(data))
            self._skip_octets -= skipped
            return data[skipped:]
        newline = min((place for place in (data.find(b"\n"), data.find(b"\0")) if place >= 0), default=-1)
        if newline < 0:
            return b""
        self._skip_line = False
        return data[newline + 1 :]
