"""Reads tar archives as a stream: old, ustar, GNU and pax, with long names and sparse files. Nothing is kept.

The standard library's reader keeps every entry it has seen and takes three times as long for a small one.
Links, devices and names that lead elsewhere are only described; nothing here opens or writes a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.diagnosis.inputs.entry import Entry, EntryKind
from bot.diagnosis.inputs.member import Stream, UnreadableError
from bot.diagnosis.inputs.streams import Buffered, Window, read_exactly
from bot.diagnosis.records import dataclass, field

BLOCK = 512
_CUT = "the tar archive is cut off; what came before the cut was read"
_DAMAGED = "damaged tar archive; what came before the damage was read"
_LONGEST_EXTENSION = 1 << 20  # of a pax header or a long name
_CHECKSUM = slice(148, 156)
_KINDS = {
    b"0": EntryKind.FILE, b"\0": EntryKind.FILE, b"7": EntryKind.FILE, b"S": EntryKind.FILE,
    b"1": EntryKind.LINK, b"2": EntryKind.LINK,
    b"3": EntryKind.DEVICE, b"4": EntryKind.DEVICE, b"6": EntryKind.DEVICE,
    b"5": EntryKind.FOLDER, b"D": EntryKind.FOLDER,
}  # fmt: skip
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL, _SPARSE = b"L", b"K", b"x", b"g", b"S"
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


@dataclass(slots=True)
class _Extension:
    """What special entries said about the entry behind them."""

    name: str | None = None
    pax: dict[str, str] = field(default_factory=dict)


def is_header(block: bytes) -> bool:
    """Tell whether a tar archive may begin with this block: its sum fits."""
    if len(block) < BLOCK or not block[0]:
        return False
    stated = _number(block[_CHECKSUM])
    if not stated:
        return False
    total = sum(block[:BLOCK]) - sum(block[_CHECKSUM]) + 8 * ord(" ")  # the sum itself counts as blanks
    # Some old writers summed signed bytes.
    return stated == total or stated == total - 256 * sum(map((127).__lt__, block[:BLOCK]))


def entries(stream: Stream) -> Iterator[Entry]:
    """Yield the entries in the order of the archive. Raises UnreadableError at the first damage."""
    stream = Buffered(stream)
    shared: dict[str, str] = {}
    extension = _Extension()
    while (block := _header(stream)) is not None:
        kind, size = block[156:157], _size(block, extension.pax)
        padding = -size % BLOCK
        if kind in {_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL}:
            _extend(extension, shared, kind, _content(stream, size, padding))
            continue
        entry, body = _entry(stream, block, extension, shared, size)
        extension = _Extension()
        yield entry
        body.skip(body.left)
        _skip_padding(stream, padding)


def _header(stream: Stream) -> bytes | None:
    """Return the next header, None at the end of the archive, marked or not."""
    block = read_exactly(stream, BLOCK)
    if not block.strip(b"\0"):
        _drain(stream)
        return None
    if len(block) < BLOCK:
        raise UnreadableError(_CUT)
    if not is_header(block):
        raise UnreadableError(_DAMAGED)
    return block


def _drain(stream: Stream) -> None:
    """Read the padding behind the archive, so that a wrong checksum at the end of a .tgz is noticed."""
    left = 64 * BLOCK
    while left > 0 and (padding := read_exactly(stream, BLOCK)):
        left -= len(padding)


def _entry(
    stream: Stream, block: bytes, extension: _Extension, shared: dict[str, str], size: int
) -> tuple[Entry, Window]:
    pax = shared | extension.pax
    name = pax.get("GNU.sparse.name") or pax.get("path") or extension.name or _plain_name(block)
    kind = _KINDS.get(block[156:157], EntryKind.FILE)
    if kind is EntryKind.FILE and name.endswith("/"):
        kind = EntryKind.FOLDER  # as tars older than ustar mark it
    left = size if kind in {EntryKind.FILE, EntryKind.FOLDER} else 0
    if block[156:157] == _SPARSE:
        _skip_gnu_map(stream, block)
    body = Window(stream, left, _CUT)
    if pax.get("GNU.sparse.major") == "1":
        _skip_pax_map(body)
    return Entry(name, kind, left, _modified(block, pax), body), body


def _plain_name(block: bytes) -> str:
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        return f"{prefix}/{name}"
    return name


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def _number(raw: bytes) -> int | None:
    """Read an octal number, or the binary form that GNU uses for big ones; None for anything else."""
    if raw[:1] in {b"\x80", b"\xff"}:
        return int.from_bytes(raw[1:], "big") if raw[0] == 0x80 else -1  # noqa: PLR2004 - the mark of positive ones
    digits = raw.split(b"\0", 1)[0].strip()
    if not digits:
        return 0
    try:
        return int(digits, 8)
    except ValueError:
        return None


def _size(block: bytes, pax: dict[str, str]) -> int:
    stated = pax.get("size")
    size = int(stated) if stated and stated.isascii() and stated.isdigit() and len(stated) < 20 else None  # noqa: PLR2004
    if size is None:
        size = _number(block[124:136])
    if size is None or not 0 <= size < 1 << 63:
        raise UnreadableError(_DAMAGED)
    return size if block[156:157] not in b"123456" or stated else 0


def _modified(block: bytes, pax: dict[str, str]) -> datetime | None:
    try:
        seconds = float(pax["mtime"]) if "mtime" in pax else float(_number(block[136:148]) or 0)
    except ValueError:
        return None
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LATEST else None


def _content(stream: Stream, size: int, padding: int) -> bytes:
    if size > _LONGEST_EXTENSION:
        raise UnreadableError(_DAMAGED)
    content = read_exactly(stream, size)
    if len(content) < size:
        raise UnreadableError(_CUT)
    _skip_padding(stream, padding)
    return content


def _skip_padding(stream: Stream, padding: int) -> None:
    if padding and len(read_exactly(stream, padding)) < padding:
        raise UnreadableError(_CUT)


def _extend(extension: _Extension, shared: dict[str, str], kind: bytes, content: bytes) -> None:
    match kind:
        case b"L":
            extension.name = _text(content)
        case b"x":
            extension.pax.update(_pax(content))
        case b"g":
            shared.update({key: value for key, value in _pax(content).items() if key == "mtime"})
        case _:
            pass  # where a link leads does not matter: no link is followed


def _pax(content: bytes) -> dict[str, str]:
    """Read the records `length key=value`, as far as they make sense."""
    found: dict[str, str] = {}
    place = 0
    while place < len(content):
        digits = content[place : place + 20].split(b" ", 1)[0]
        length = int(digits) if digits.isdigit() else 0
        if length <= len(digits):
            break  # it would never end: a record is longer than its own length
        record = content[place + len(digits) + 1 : place + length - 1]
        key, equals, value = record.partition(b"=")
        if not equals:
            break
        if key in {b"path", b"size", b"mtime"} or key.startswith(b"GNU.sparse."):
            found[key.decode("utf-8", "backslashreplace")] = value.decode("utf-8", "backslashreplace")
        place += length
    return found


def _skip_gnu_map(stream: Stream, block: bytes) -> None:
    """Go past the map of a sparse file. Its holes are left out: in a log they would be NULs, which nobody reads."""
    more = block[482]
    while more:
        block = read_exactly(stream, BLOCK)
        if len(block) < BLOCK:
            raise UnreadableError(_CUT)
        more = block[504]


def _skip_pax_map(body: Window) -> None:
    """Go past the map at the start of a sparse file of pax 1.0: decimal lines, the first of which counts the pairs."""
    lines, wanted = 0, 1
    while lines < wanted and (block := read_exactly(body, min(BLOCK, body.left))):
        if not lines:
            count = block.split(b"\n", 1)[0]
            if not count.isdigit() or len(count) > 9:  # noqa: PLR2004 - a billion pairs are none of a log
                raise UnreadableError(_DAMAGED)
            wanted = 1 + 2 * int(count)
        lines += block.count(b"\n")
