"""What a person names becomes a list of units, in the order in which they are to be read. Nothing is opened here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.diagnosis.printable import file_name

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing to open: a file, the fragments of one file, or standard input (`path` is None). Small, and pickles.

    `size` is in bytes on disk, 0 where nobody knows. `named` tells what somebody typed from what was found in a folder.
    """

    name: str
    path: Path | None
    size: int
    named: bool
    fragments: tuple[Path, ...] = ()


def units(paths: Iterable[Path | str]) -> list[Unit]:
    """Return what is to be read, oldest first within a rotated set. Never raises: what is not there stays a unit.

    Folders are walked in the order of their names; links to folders are not followed; sockets, pipes and devices that
    nobody named are left out.
    """
    return [unit for path in paths for unit in _units(path)]


def _units(path: Path | str) -> Iterator[Unit]:
    if str(path) == STDIN:
        yield Unit(STDIN, None, 0, named=True)
    elif os.path.isdir(path):  # noqa: PTH112 - says no, and never raises, to what is no path at all
        yield from _walk(Path(path))
    else:
        yield Unit(file_name(path), Path(path), _size(path), named=True)


def _walk(folder: Path) -> Iterator[Unit]:
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(where, name)
            if path.is_file():
                yield Unit(file_name(path), path, _size(path), named=False)


def _size(path: Path | str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - also for what is no path at all
    except (OSError, ValueError):
        return 0
