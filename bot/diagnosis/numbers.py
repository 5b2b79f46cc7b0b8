"""What the numbers in a line mean: NFC replies, the disk library, Vix, the kernel's status words, errno, Windows.

Facts only, each with where it was published; what a number proves about a failure is for rules to say. A number whose
family nobody names and whose shape does not tell it stays undecoded: 5 is "out of memory" to one and "I/O error" to
another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final

from bot.diagnosis.numbertables import (
    DISKLIB,
    ERRNO,
    ERRNO_SOURCE,
    FILEIO,
    FILEIO_SOURCE,
    NBD,
    NBD_SOURCE,
    NFC,
    VIX,
    VIX_SOURCE,
    VMKERNEL,
    VMKERNEL_SOURCE,
    WINDOWS,
    WINDOWS_SOURCE,
)
from bot.diagnosis.patterns import Pattern, compile_pattern
from bot.diagnosis.records import dataclass

_DISKLIB_SOURCE: Final = "github.com/lamw/ghettoVCB issues 202 and 257, github.com/elatov/elatov.github.io"
_NFC_SOURCE: Final = "virt-v2v-input-vmware manual page; Vectura documentation"
_SYSTEM_ERROR: Final = 0x09  # low byte of a DiskLib number that bears an errno in its upper 16 bits: 393225 is 6
_OBJECT_ERROR: Final = 0x02  # the same, told by the object library: 327682 is 5, 1835010 is 28
_NBD_CLASS: Final = 0x22
_FILEIO_CLASS: Final = 0x08
_KERNEL: Final = 0x0BAD0000
_MOST_DIGITS: Final = 10


class Family(StrEnum):
    """Who gave the number its meaning."""

    NFC = "NFC"
    DISKLIB = "DiskLib"
    VIX = "Vix"
    VMKERNEL = "VMkernel"
    ERRNO = "errno"
    WINDOWS = "Windows"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One number, decoded. `written` is how the line has it; `name` is the published symbol, where there is one."""

    written: str
    number: int
    family: Family
    words: str
    name: str = ""
    errno: int | None = None
    source: str = ""

    def __str__(self) -> str:
        return f"{self.written} = {self.told}"

    @property
    def told(self) -> str:
        """What the number says, without the number."""
        named = f" {self.name}" if self.name else ""
        return f"{self.family}{named}, {self.words}"


Reader = Callable[[str, int], Meaning | None]


def decode(given: str | int) -> Meaning | None:
    """Return what a number means by its shape alone, or the first meaning in a text that says whose number it is."""
    if isinstance(given, int):
        return _by_shape(str(given), given)
    text = given.strip()
    number = _number(text)
    return next(iter(numbers_in(text)), None) if number is None else _by_shape(text, number)


def numbers_in(line: str) -> list[Meaning]:
    """Return the meanings of all numbers in `line` whose family the line names or their shape tells, in its order."""
    found: dict[int, Meaning] = {}
    for pattern, read in _IN_LINES:
        for place, written in _each(pattern, line):
            number = _number(written)
            meaning = None if number is None or place in found else read(written, number)
            if meaning is not None:
                found[place] = meaning
    return list(dict.fromkeys(found[place] for place in sorted(found)))


def _each(pattern: Pattern, line: str) -> Iterator[tuple[int, str]]:
    """Yield where each number stands that fits, and how it is written."""
    position = 0
    while hit := pattern.search(line[position:]):
        written = hit.groupdict()["number"] or ""
        place = line.index(written, position + hit.start())
        yield place, written
        position = place + len(written)


def _by_shape(written: str, number: int) -> Meaning | None:
    if number >> 16 == _KERNEL >> 16:
        return _vmkernel(written, number)
    if number >> 16 or number & 0xFF in {_NBD_CLASS, _FILEIO_CLASS}:
        return _disklib(written, number)
    return None


def _disklib(written: str, number: int) -> Meaning | None:
    low, rest = number & 0xFF, number >> 8
    if number >> 16 and number & 0xFFFF in {_SYSTEM_ERROR, _OBJECT_ERROR}:
        return _disklib_errno(written, number)
    if low == _NBD_CLASS and rest in NBD:
        return Meaning(written, number, Family.DISKLIB, NBD[rest].words, NBD[rest].name, source=NBD_SOURCE)
    if low == _FILEIO_CLASS and rest & 0x0F == 0 and rest >> 4 in FILEIO:
        entry = FILEIO[rest >> 4]
        return Meaning(written, number, Family.DISKLIB, entry.words, entry.name, source=FILEIO_SOURCE)
    if number in DISKLIB:
        return Meaning(written, number, Family.DISKLIB, DISKLIB[number], source=_DISKLIB_SOURCE)
    return None


def _disklib_errno(written: str, number: int) -> Meaning:
    errno = number >> 16
    entry = ERRNO.get(errno)
    words = f"system error {errno}: {entry.words if entry else 'not in the list'}"
    return Meaning(written, number, Family.DISKLIB, words, entry.name if entry else "", errno, _DISKLIB_SOURCE)


def _vmkernel(written: str, number: int) -> Meaning | None:
    entry = VMKERNEL.get(number - _KERNEL)
    return Meaning(written, number, Family.VMKERNEL, entry.words, entry.name, source=VMKERNEL_SOURCE) if entry else None


def _nfc(written: str, number: int) -> Meaning | None:
    return Meaning(written, number, Family.NFC, NFC[number], source=_NFC_SOURCE) if number in NFC else None


def _vix(written: str, number: int) -> Meaning | None:
    entry = VIX.get(number & 0xFFFF)  # the upper half of a VixError carries detail
    return Meaning(written, number, Family.VIX, entry.words, entry.name, source=VIX_SOURCE) if entry else None


def _errno(written: str, number: int) -> Meaning | None:
    entry = ERRNO.get(number)
    if entry is None:
        return None
    return Meaning(written, number, Family.ERRNO, entry.words, entry.name, number, ERRNO_SOURCE)


def _windows(written: str, number: int) -> Meaning | None:
    entry = WINDOWS.get(number)
    return Meaning(written, number, Family.WINDOWS, entry.words, entry.name, source=WINDOWS_SOURCE) if entry else None


def _errno_or_windows(written: str, number: int) -> Meaning | None:
    return _errno(written, number) or _windows(written, number)


def _number(text: str) -> int | None:
    digits = text.lower()
    try:
        if digits.startswith("0x"):
            return int(digits, 16)
        return int(digits) if digits.isdecimal() and len(digits) <= _MOST_DIGITS else None
    except ValueError:
        return None


# Whose number it is, where a line says so; the first reader that understands a place keeps it.
_IN_LINES: Final[tuple[tuple[Pattern, Reader], ...]] = tuple(
    (compile_pattern(pattern), read)
    for pattern, read in (
        (r"\b(?P<number>0x0?[Bb][Aa][Dd][0-9a-fA-F]{4}|1958[89]\d{4})\b", _vmkernel),
        (r"\bNFC error (?P<number>\d+)\b", _nfc),
        (r"\bhost reported error (?P<number>\d+)\b", _nfc),
        (r"[Dd]isk[Ll]ib ?[Ee]rror[ :]*(?P<number>0x[0-9a-fA-F]+|\d+)\b", _disklib),
        (r"(?::|flags 0x[0-9a-fA-F]+) [A-Z][^:()]*\((?P<number>0x[0-9a-fA-F]+|\d+)\)", _disklib),
        (r"\bVixError[ :=]*(?P<number>\d+)\b", _vix),
        (r"\b[Ee]rror (?P<number>\d+) \(", _vix),
        (r"\bVix\w*[^\n]*?\b[Ee]rror code(?: is|:)? ?(?P<number>\d+)\b", _vix),
        (r"\b[Ee]rror code(?: is|:)? ?(?P<number>1[468]0\d\d)\b", _vix),
        (r"\b[Ee]rrno[ =:]*(?P<number>\d+)\b", _errno_or_windows),
        (r"\[Win[Ee]rror (?P<number>\d+)\]", _windows),
        (r"\bWSA(?:Get)?\w*[ =:(]*(?P<number>1[01]\d{3})\b", _windows),
        (r"\b[Ss]ocket error[ #:=]*(?P<number>1[01]\d{3})\b", _windows),
    )
)
