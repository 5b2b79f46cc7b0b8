"""A log in a folder of this machine: the file, and those beside it that a rotation has left, as a shelf."""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final

from bot.errors import OutsideError
from bot.logs.packed import unpacked
from bot.logs.shelf import PAGE, GoneError, Pages, skipping

Stamp = tuple[int, int, int]
"""Which file stands under a name, how long it is, and when it was written to."""
_NUMBERS: Final = 5


class FolderShelf:
    """Implements `Shelf`. Older files are `x.log.1`, `x.log.2.gz`, `x.0.gz`, `x.log-20260131` and `x-20260131.log`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        suffix = re.escape(path.suffix)
        self._older = re.compile(rf"{re.escape(path.stem)}(?:{suffix})?[.-](\d[\dT_-]*)(?:{suffix})?(\.gz)?")

    def stamp(self) -> Stamp | None:
        """What changes with the file; None while there is none. On local disks this takes microseconds."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refusal(self._path, error) from error
        return found.st_ino, found.st_size, found.st_mtime_ns

    async def size(self) -> int:
        stamp = self.stamp()
        if stamp is None:
            raise _gone(self._path)
        return stamp[1]

    async def older(self) -> int:
        return len(await asyncio.to_thread(self._siblings))

    @asynccontextmanager
    async def open(self, age: int, start: int) -> AsyncIterator[Pages]:
        """The current file is read at once: what was just written is in memory, and a thread costs more than that."""
        path = self._path
        if age:
            siblings = await asyncio.to_thread(self._siblings)
            if age > len(siblings):
                raise _gone(path)
            path = siblings[age - 1]
        file = _opened(path)
        try:
            if path.suffix == ".gz":
                yield skipping(unpacked(_pages(path, file, threaded=True), str(path)), start)
            else:
                file.seek(start)
                yield _pages(path, file, threaded=bool(age))
        finally:
            file.close()

    def _siblings(self) -> list[Path]:
        """The older files, newest first. One that is being packed has two names; the packed one is not finished."""
        try:
            names = set(os.listdir(self._path.parent))  # noqa: PTH208 - names are compared, not paths
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _refusal(self._path.parent, error) from error
        return [self._path.with_name(name) for name in self._sorted(names)]

    def _sorted(self, names: set[str]) -> Iterable[str]:
        found = [(match[1], name) for name in names if (match := self._older.fullmatch(name))]
        whole = [(when, name) for when, name in found if name.removesuffix(".gz") == name or name[:-3] not in names]
        return [name for _, name in sorted(whole, key=_age)]


def _age(found: tuple[str, str]) -> tuple[bool, int]:
    """Numbers grow with age, dates the other way round."""
    when = int(re.sub(r"\D", "", found[0]))
    return (False, when) if len(found[0]) < _NUMBERS else (True, -when)


def _opened(path: Path) -> BinaryIO:
    """Open a plain file. Anything else could keep us waiting for ever."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise _refusal(path, error) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OutsideError(f"{path} is no file, so no log can be read from it.")
    return os.fdopen(file, "rb", buffering=0)


def _pages(path: Path, file: BinaryIO, *, threaded: bool) -> Pages:
    """The pages up to the first that is not full: a file that is cut and grows again must not be read across that."""
    ended = False

    async def read() -> bytes:
        nonlocal ended
        if ended:
            return b""
        try:
            page = await asyncio.to_thread(file.read, PAGE) if threaded else file.read(PAGE)
        except OSError as error:
            raise _refusal(path, error) from error
        ended = len(page) < PAGE
        if not ended and not threaded:
            await asyncio.sleep(0)  # a log that has grown for hours is not read in one breath
        return page

    return read


def _gone(path: Path) -> GoneError:
    return GoneError(f"There is no {path} yet; it is read from its start as soon as it is written.")


def _refusal(path: Path, error: OSError) -> OutsideError:
    match error:
        case FileNotFoundError():
            return _gone(path)
        case PermissionError():
            return OutsideError(f"{path} may not be read by the user we run as: permission denied.")
        case _:
            return OutsideError(
                f"{path} cannot be read: {(error.strerror or 'no reason given').lower()}.", transient=True
            )
