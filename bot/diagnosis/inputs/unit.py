"""What a person names becomes a list of units, in the order in which they are to be read. Nothing is opened here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.diagnosis.inputs.fragments import fragment
from bot.diagnosis.inputs.rotation import Rank, age
from bot.diagnosis.printable import file_name
from bot.diagnosis.records import dataclass

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
    nobody named are left out, and so is a file that was already met under another name. The fragments of one file are
    one unit. What was named keeps its order, but for the files of one rotated set.
    """
    walked: list[Unit] = []
    for path in paths:
        if str(path) == STDIN:
            walked.append(Unit(STDIN, None, 0, named=True))
        elif os.path.isdir(path):  # noqa: PTH112 - says no, and never raises, to what is no path at all
            walked += _walk(Path(path))
        else:
            walked.append(Unit(file_name(path), Path(path), _size(path), named=True))
    return _in_order(_joined(walked))


def _walk(folder: Path) -> list[Unit]:
    """Return the files below a folder; where there are none the folder itself, lest it be passed over in silence."""
    found = list(_found(folder))
    return found or [Unit(file_name(folder), folder, 0, named=True)]


def _found(folder: Path) -> Iterator[Unit]:
    refused: list[OSError] = []
    met: set[tuple[int, int]] = set()
    for where, folders, files in os.walk(folder, onerror=refused.append):
        folders.sort()
        for name in sorted(files, key=lambda name: (*age(name), name)):
            path = Path(where, name)
            try:
                status = path.stat()
            except OSError:  # a dangling link, or gone since
                continue
            if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in met:
                met.add((status.st_dev, status.st_ino))
                yield Unit(file_name(path), path, status.st_size, named=False)
    for refusal in refused:
        yield Unit(file_name(refusal.filename), Path(refusal.filename), 0, named=False)


def _joined(walked: Iterable[Unit]) -> list[Unit]:
    """Make one unit of the fragments of a file, at the place of the first of them that was met."""
    joined: dict[str | int, list[tuple[int, Unit]]] = {}
    for place, unit in enumerate(walked):
        part = fragment(unit.name) if unit.path is not None else None
        if part is None:
            joined[place] = [(0, unit)]
        else:
            joined.setdefault(part[0], []).append((part[1], unit))
    return [_whole(key, parts) for key, parts in joined.items()]


def _whole(key: str | int, parts: list[tuple[int, Unit]]) -> Unit:
    first = parts[0][1]
    if isinstance(key, int):
        return first
    ordered = [unit for _, unit in sorted(parts, key=lambda part: part[0])]
    return Unit(
        name=key,
        path=ordered[0].path,
        size=sum(unit.size for unit in ordered),
        named=any(unit.named for unit in ordered),
        fragments=tuple(dict.fromkeys(unit.path for unit in ordered if unit.path is not None)),
    )


def _in_order(found: list[Unit]) -> list[Unit]:
    """Put the files of each rotated set in the order of time, at the places which the set has."""
    sets: dict[tuple[str, str], list[int]] = {}
    for place, unit in enumerate(found):
        if unit.path is not None:
            folder, name = os.path.split(unit.name)
            sets.setdefault((folder, age(name)[0]), []).append(place)
    ordered = list(found)
    for places in sets.values():
        if len(places) > 1:
            by_age = sorted((found[place] for place in places), key=_rank)
            for place, unit in zip(places, by_age, strict=True):
                ordered[place] = unit
    return ordered


def _rank(unit: Unit) -> Rank:
    return age(os.path.basename(unit.name))[1]  # noqa: PTH119 - a name, and maybe no path


def _size(path: Path | str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - also for what is no path at all
    except (OSError, ValueError):
        return 0
