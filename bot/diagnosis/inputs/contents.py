"""What became of the entries of one archive, counted, and told in one sentence of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.diagnosis.inputs.entry import EntryKind
from bot.diagnosis.inputs.member import Note
from bot.diagnosis.verdict import Trouble

_TROUBLES = {
    EntryKind.ENCRYPTED: "encrypted and {was} not read: unpack the archive with its password and give the folder",
    EntryKind.OVERLAPPING: "made of the same bytes as others, as in a zip bomb, and {was} not read",
    EntryKind.UNKNOWN_PACKING: "packed in a way that is not known here and {was} not read: unpack the archive and give "
    "the folder",
}
_MOST_CLASSES = 6


class Contents:
    """The tally of one archive, with or without the archives in it, which have their own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.read = 0
        self.archives = 0
        self.empty = 0
        self.no_text = 0
        self.outside = 0
        self.shortened = 0
        self.by_name: Counter[str] = Counter()
        self.kinds: Counter[EntryKind] = Counter()

    def broken(self, reason: str) -> Trouble:
        """Say that the archive ended before its time, and how much of it was read."""
        return Trouble(self.name, f"{reason} ({_count(self.read, 'file')})")

    def verdicts(self, *, broken: bool) -> Iterator[Trouble | Note]:
        """Yield what is to be said at the end of the archive."""
        for kind, words in _TROUBLES.items():
            if number := self.kinds[kind]:
                be, was = ("is", "was") if number == 1 else ("are", "were")
                yield Trouble(self.name, f"{_count(number, 'file')} in it {be} {words.format(was=was)}")
        left_out = list(self._left_out())
        if not self.read and not self.archives and not broken and not any(self.kinds[kind] for kind in _TROUBLES):
            yield Trouble(self.name, "no log in it" + (f", only {', '.join(left_out)}" if left_out else ""))
        elif left_out:
            yield Note(self.name, f"{_count(self.read, 'file')} of it read; left out: {', '.join(left_out)}")
        if self.outside:
            yield Note(
                self.name,
                f"{_count(self.outside, 'name')} in it absolute or leading out of it; nothing is written to disk, so "
                "that does no harm",
            )
        if self.shortened:
            yield Note(self.name, f"{_count(self.shortened, 'name')} in it shown shortened")

    def _left_out(self) -> Iterator[str]:
        if self.empty:
            yield f"{self.empty:,} empty"
        if self.no_text:
            yield f"{self.no_text:,} not text"
        if self.by_name:
            common = ", ".join(name for name, _ in self.by_name.most_common(_MOST_CLASSES))
            yield f"{self.by_name.total():,} of which the name says that it is no log ({common})"
        if number := self.kinds[EntryKind.LINK]:
            yield _count(number, "link")
        if number := self.kinds[EntryKind.DEVICE]:
            yield _count(number, "device")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else f"no {noun}"
