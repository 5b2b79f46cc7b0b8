"""Logs as people hand them over, pasted into messages or dropped as files: what they are by their bytes. Pure.

What may not live here: fetching anything, and reading a log. A worker does that.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.errors import UserError

# Slack writes <http://h|h>, <mailto:a@b|a@b>, <@U1|name>, <#C1|name>, <!channel>, <!date^…^…|words>.
_MANGLED: Final = re.compile(r"<(?P<sign>[@#!]?)(?P<target>[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>")
_ZERO_WIDTH: Final = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_SCHEME: Final = re.compile(r"(?:mailto|tel):")
_FENCE: Final = re.compile(r"[ \t]*```[ \t]*")
_QUOTED: Final = re.compile(r"^&gt;[ \t]?", re.MULTILINE)
_LONE_TICKS: Final = re.compile(r"^`([^`\n]+)`$", re.MULTILINE)

_CLOCK: Final = re.compile(r"\b\d{1,2}:\d\d:\d\d\b")
_OURS: Final = re.compile(r"nfc|vpxa|vpxd|hostd|vmkernel|vixdisklib|disklib|vddk|opID=", re.IGNORECASE)
_TROUBLE: Final = re.compile(r"error|fail|timed? ?out|refused|reset|exception|abort|cannot|unable", re.IGNORECASE)

_LOG_NAME: Final = re.compile(r".+\.(?:log|gz|tgz|zip)|.+\.log[.-]\d+|.+[.-]\d+\.log", re.IGNORECASE)
_PICTURED: Final = (
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"%PDF", "a PDF"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"BZh", "packed with bzip2; I unpack gzip, tar and zip"),
    (b"\xfd7zXZ\x00", "packed with xz; I unpack gzip, tar and zip"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; I unpack gzip, tar and zip"),
    (b"7z\xbc\xaf", "packed with 7z; I unpack gzip, tar and zip"),
    (b"Rar!", "packed with RAR; I unpack gzip, tar and zip"),
)
_PACKED: Final = (b"\x1f\x8b", b"PK\x03\x04")
_TAR: Final = slice(257, 262)
_HEAD: Final = 8192
_MOST_CONTROLS: Final = 0.1
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_TEXT_CONTROLS: Final = frozenset(b"\t\n\r\x0b\x0c\x1b\x00")
"""NULs too: a log that was cut by a crash has whole blocks of them."""


@dataclass(frozen=True, slots=True)
class Part:
    """A log by the name that people know it by. `name` is empty for what was pasted."""

    name: str
    data: bytes


def as_pasted(text: str) -> str:
    """What somebody pasted, before Slack formatted it: fences and quotes taken off, links and entities undone."""
    bare = _LONE_TICKS.sub(r"\1", _FENCE.sub("\n", _QUOTED.sub("", text.translate(_ZERO_WIDTH))))
    plain = _MANGLED.sub(_unmangled, bare)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        plain = plain.replace(entity, character)
    return plain.strip("\n")


def is_log(text: str, *, asked: bool) -> bool:
    """Whether this may be lines of a log and not talk. `asked`: somebody says so, and then an error alone will do."""
    return bool(_CLOCK.search(text) or _OURS.search(text) or (asked and _TROUBLE.search(text)))


def named_as_log(name: str) -> bool:
    """Whether a file is called like a log or a bundle: all that can be known before it is fetched."""
    return bool(_LOG_NAME.fullmatch(name.strip()))


def require_log(part: Part) -> None:
    """UserError for bytes that surely are no log and no archive that may hold one, whatever they are called."""
    data = part.data
    if not data.strip():
        raise UserError(f"{part.name} is empty.")
    if data.startswith((*_PACKED, *_UTF16)) or data[_TAR] == b"ustar":
        return
    for magic, what in _PICTURED:
        if data.startswith(magic):
            raise UserError(f"{part.name} is {what}. I read logs, and .gz, .tgz and .zip with logs in them.")
    head = data[:_HEAD]
    controls = sum(byte < 0x20 and byte not in _TEXT_CONTROLS for byte in head)  # noqa: PLR2004 - ASCII's own border
    if controls > len(head) * _MOST_CONTROLS or not head.strip(b"\x00 \r\n\t"):
        raise UserError(f"{part.name} is no text. I read logs, and .gz, .tgz and .zip with logs in them.")


def packed(parts: Sequence[Part]) -> Part:
    """One part as it is; several as one archive, so that they are judged together."""
    if len(parts) == 1:
        return parts[0]
    room = io.BytesIO()
    taken: set[str] = set()
    with zipfile.ZipFile(room, "w") as archive:
        for number, part in enumerate(parts, 1):
            name = _member(part.name or f"pasted-{number}.txt", taken)
            archive.writestr(zipfile.ZipInfo(name), part.data)
    return Part(f"{len(parts)} logs.zip", room.getvalue())


def _member(name: str, taken: set[str]) -> str:
    """A name within the archive: no folders, none twice."""
    bare = re.sub(r"[/\\:\x00]", "_", name) or "log"
    unique, number = bare, 2
    while unique in taken:
        unique, number = f"{number}-{bare}", number + 1
    taken.add(unique)
    return unique


def _unmangled(found: re.Match[str]) -> str:
    sign, target, label = found["sign"], found["target"], found["label"]
    if sign == "!":
        return label or f"@{target.partition('^')[0]}"
    if label:
        return f"{sign}{label}" if sign and not label.startswith(sign) else label
    return f"{sign}{target}" if sign else _SCHEME.sub("", target, count=1)
