"""Tells what a stream is from its first bytes, and from a name whether it is certainly no log. Opens nothing."""

from __future__ import annotations

import posixpath
from enum import Enum, auto

from bot.diagnosis.inputs.tar_archive import is_header

HEAD = 4096
_MOST_CONTROL = 0.05  # of a text's bytes; random bytes have twice that
_CONTROL = bytes(code for code in range(32) if chr(code) not in "\t\n\r\x1b")


class Kind(Enum):
    """What a stream is."""

    EMPTY = auto()
    TEXT = auto()
    UTF_16_LE = auto()
    UTF_16_BE = auto()
    NULS = auto()
    BINARY = auto()
    GZIP = auto()
    XZ = auto()
    BZIP2 = auto()
    ZSTD = auto()
    TAR = auto()
    ZIP = auto()
    FOREIGN = auto()


_MARKS = {
    b"\x1f\x8b": Kind.GZIP,
    b"\xfd7zXZ\x00": Kind.XZ,
    b"BZh": Kind.BZIP2,
    b"\x28\xb5\x2f\xfd": Kind.ZSTD,
    b"PK\x03\x04": Kind.ZIP,
    b"PK\x05\x06": Kind.ZIP,
    b"7z\xbc\xaf\x27\x1c": Kind.FOREIGN,
    b"Rar!\x1a\x07": Kind.FOREIGN,
    b"MSCF": Kind.FOREIGN,
    b"\xff\xfe": Kind.UTF_16_LE,
    b"\xfe\xff": Kind.UTF_16_BE,
    b"\x7fELF": Kind.BINARY,
    b"\x89PNG": Kind.BINARY,
    b"\xff\xd8\xff": Kind.BINARY,
    b"GIF8": Kind.BINARY,
    b"%PDF-": Kind.BINARY,
    b"SQLite format 3": Kind.BINARY,
    b"KDMV": Kind.BINARY,
}
_ANY_MARK = tuple(_MARKS)
_BZIP2_LEVELS = b"123456789"

# What a support bundle holds beside logs: disks, memory, databases, pictures, programs, keys.
_NO_LOGS = frozenset({
    ".vmdk", ".vmem", ".vmsn", ".vmss", ".vswp", ".nvram", ".iso", ".img", ".ova",
    ".db", ".sqlite", ".dbf", ".mdb", ".rrd", ".pcap", ".pcapng", ".cap", ".hprof", ".dmp",
    ".png", ".jpg", ".jpeg", ".gif", ".ico", ".svg", ".bmp", ".woff", ".woff2", ".ttf", ".pdf",
    ".so", ".dll", ".exe", ".o", ".a", ".pyc", ".class", ".jar", ".war", ".ear", ".rpm", ".deb", ".vib", ".v00", ".b00",
    ".p12", ".jks", ".keystore", ".der", ".crt", ".cer", ".pem", ".key",
})  # fmt: skip
_CORES = ("core.", "vmkernel-zdump", "zdump", "hostd-zdump", "vpxa-zdump")


def kind_of(head: bytes) -> Kind:
    """Tell what begins with `head`, of which `HEAD` bytes are enough."""
    if not head:
        return Kind.EMPTY
    if head.startswith(_ANY_MARK):
        for mark, kind in _MARKS.items():
            if head.startswith(mark) and (kind is not Kind.BZIP2 or head[3:4] in _BZIP2_LEVELS):
                return kind
    if is_header(head[:512]):
        return Kind.TAR
    text = head.replace(b"\0", b"")
    if not text:
        return Kind.NULS
    control = len(text) - len(text.translate(None, _CONTROL))
    return Kind.BINARY if control > _MOST_CONTROL * len(text) else Kind.TEXT


def certainly_no_log(name: str) -> str | None:
    """Return the class of files by which a name is known to be no log, None where one has to look."""
    base = name.rpartition("/")[2].lower()
    suffix = posixpath.splitext(base)[1]
    if base.startswith(_CORES) and suffix not in {".log", ".txt", ".gz"}:
        return "memory dumps"
    return suffix if suffix in _NO_LOGS else None
