"""What one input may cost, counted across all its layers. The refusals are worded here."""

from __future__ import annotations

from bot.diagnosis.inputs.member import Limits, UnreadableError

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class Budget:
    """Counts what is read of an input and what is unpacked from it. Once it is used up, it stays so."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.spent: UnreadableError | None = None
        self.spooled = 0
        self._taken = 0
        self._unpacked = 0
        self._entries = 0

    def take(self, count: int) -> None:
        """Note `count` bytes of the input itself."""
        self._taken += count

    def unpack(self, count: int) -> None:
        """Note `count` bytes that came out of a compressed stream. Raises UnreadableError when it is too much."""
        self._unpacked += count
        if self._unpacked > self.limits.unpacked:
            self._spend(f"it unpacks to more than {size_words(self.limits.unpacked)}; what came before that was read")
        if self._unpacked > max(self.limits.ratio_from, self.limits.ratio * self._taken):
            self._spend(
                f"it unpacks to more than {self.limits.ratio} times its size, as a zip bomb does; "
                "what came before that was read"
            )

    def enter(self) -> None:
        """Note one more entry of an archive. Raises UnreadableError when they are too many."""
        if self._entries >= self.limits.members:
            self._spend(f"it holds more than {self.limits.members:,} entries; the rest was not read")
        self._entries += 1

    def _spend(self, reason: str) -> None:
        if self.spent is None:
            self.spent = UnreadableError(reason)
        raise self.spent


def size_words(count: int) -> str:
    """Return a number of bytes for people, rounded down to whole units."""
    step = 0
    while count >= 1024 and step < len(_UNITS) - 1:  # noqa: PLR2004 - a binary unit
        count, step = count // 1024, step + 1
    return f"{count} {_UNITS[step]}"
