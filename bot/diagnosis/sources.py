"""Opens what a person names: a log, a .gz, a folder, `-`. What cannot be read becomes a sentence, never a crash.

Archives (.tgz, .zip and so on) are recognised and refused with a reason; they are not opened here.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from bot.diagnosis.printable import file_name

STDIN = "-"
_HEAD = 4096
_TAR_MARK = slice(257, 262)
_MOST_CONTROL = 0.05  # of a text's bytes; random bytes have twice that
_ARCHIVES = {
    b"PK\x03\x04": "a zip archive",
    b"\xfd7zXZ\x00": "an xz file",
    b"BZh": "a bzip2 file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
}
_GZIP = b"\x1f\x8b"
_CONTROL = bytes(code for code in range(32) if chr(code) not in "\t\n\r\x1b")


class UnreadableError(Exception):
    """This source, or the rest of it, cannot be read; the message is for people."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read. `named` tells a path that somebody typed from one found in a folder."""

    name: str
    path: Path | None
    named: bool


class OpenSource:
    """A stream of text bytes, unpacked where need be. Raises UnreadableError, also in the middle of reading."""

    def __init__(self, source: Source, stdin: BinaryIO | None) -> None:
        self._stack = ExitStack()
        self._failure: UnreadableError | None = None
        try:
            self._stream = self._open(source, stdin)
            self._head = self._read(_HEAD)
            _refuse_strange(self._head)
        except BaseException:
            self._stack.close()
            raise

    @property
    def empty(self) -> bool:
        return not self._head

    def read(self, size: int, /) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        return head or self._read(size)

    def close(self) -> None:
        self._stack.close()

    def _open(self, source: Source, stdin: BinaryIO | None) -> io.BufferedIOBase:
        if source.path is None:
            if stdin is None:
                raise UnreadableError("standard input is not available here")
            buffered: io.BufferedReader[Any] = io.BufferedReader(_Reader(stdin))
        else:
            try:
                if stat.S_ISCHR(source.path.stat().st_mode):
                    raise UnreadableError("a device, not a file")
                buffered = self._stack.enter_context(source.path.open("rb"))
            except (OSError, ValueError) as refusal:
                raise UnreadableError(_words(refusal)) from refusal
        if buffered.peek(2)[:2] == _GZIP:
            return self._stack.enter_context(gzip.GzipFile(fileobj=buffered))
        return buffered

    def _read(self, size: int) -> bytes:
        """Read `size` bytes, less at the end. What came before a failure is handed out before the failure is raised."""
        pieces: list[bytes] = []
        wanted = size
        while wanted and self._failure is None:
            try:
                piece = self._stream.read1(wanted)
            except EOFError:
                self._failure = UnreadableError("the gzip stream is cut off; what came before the cut was read")
            except (OSError, zlib.error) as refusal:
                self._failure = UnreadableError(_words(refusal))
            else:
                if not piece:
                    break
                pieces.append(piece)
                wanted -= len(piece)
        if not pieces and self._failure is not None:
            raise self._failure
        return b"".join(pieces)


class _Reader(io.RawIOBase):
    """Gives a stream that we do not own to a BufferedReader, which would close it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def expand(paths: Iterable[Path | str]) -> Iterator[Source]:
    """Yield what is to be read, folders walked in the order of their names; links to folders are not followed."""
    for path in paths:
        if str(path) == STDIN:
            yield Source(STDIN, None, named=True)
        elif os.path.isdir(path):  # noqa: PTH112 - says no, and never raises, to what is no path at all
            yield from _walk(Path(path))
        else:
            yield Source(file_name(path), Path(path), named=True)


def _walk(folder: Path) -> Iterator[Source]:
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(where, name)
            if path.is_file():  # not a socket, a pipe or a dangling link: nobody asked for those by name
                yield Source(file_name(path), path, named=False)


def _refuse_strange(head: bytes) -> None:
    for mark, kind in _ARCHIVES.items():
        if head.startswith(mark):
            raise UnreadableError(f"{kind}: not opened yet; unpack it and give the folder")
    if head[_TAR_MARK] == b"ustar":
        raise UnreadableError("a tar archive: not opened yet; unpack it and give the folder")
    text = head.replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    if head and not text:
        raise UnreadableError("nothing but NUL bytes")
    control = len(text) - len(text.translate(None, _CONTROL))
    if control > _MOST_CONTROL * len(text):
        raise UnreadableError("binary data, not a log")


def _words(refusal: Exception) -> str:
    match refusal:
        case FileNotFoundError():
            return "no such file"
        case PermissionError():
            return "permission denied"
        case gzip.BadGzipFile() | zlib.error():
            return "damaged gzip data; what came before the damage was read"
        case OSError(strerror=str(reason)):
            return reason.lower()
        case _:
            return str(refusal)
