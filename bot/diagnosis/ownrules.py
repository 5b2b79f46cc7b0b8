"""An operator's own rules: which files there are, and which of them can be used.

The command line refuses a folder with a mistake in it. A worker must go on: it takes what is sound and tells the rest.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.diagnosis.rules import rule_files
from bot.diagnosis.shelf import tables
from bot.errors import UserError


@dataclass(frozen=True, slots=True)
class Usable:
    """The files to load, and a sentence for each mistake in those that are left out."""

    files: tuple[Path, ...] = ()
    complaints: tuple[str, ...] = ()


def files_in(places: Iterable[Path]) -> list[Path]:
    """Return the rule files at `places`: a file is itself, a folder its .toml files. Raises UserError for nothing."""
    found: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            inside = rule_files(place)
            if not inside:
                raise UserError(f"{place} holds no rule: no file there ends in .toml.")
            found |= dict.fromkeys(inside)
        elif place.exists():
            found[place] = None
        else:
            raise UserError(f"There is no rule file or folder at {place}.")
    return list(found)


def usable(folder: Path | None) -> Usable:
    """Return what can be used of a folder of rules; never raises. A rule that names a faulty one is faulty, too."""
    if folder is None:
        return Usable()
    try:
        files = files_in([folder])
    except UserError as refusal:
        return Usable(complaints=(str(refusal),))
    except OSError as refusal:
        return Usable(complaints=(f"{folder} cannot be read: {refusal.strerror}.",))
    return sound(files)


def shipped() -> list[dict[str, Any]]:
    """Return the contents of the rules that come with the program."""
    return tables(rule_files())


def rule_ids(files: Iterable[Path]) -> dict[Path, str]:
    """Return the id that each well-formed file gives its rule."""
    return {path: tomllib.loads(path.read_text(encoding="utf-8"))["id"] for path in files}


def sound(files: Sequence[Path]) -> Usable:
    """Return the files that are sound together; whoever names a faulty one goes with it."""
    from bot.diagnosis.rulefile import check_rule_files  # noqa: PLC0415 - pydantic, only where somebody has own rules

    beside = shipped()
    kept = list(files)
    complaints: list[str] = []
    while mistakes := check_rule_files(kept, beside=beside):
        complaints += map(str, mistakes)
        wrong = {mistake.file for mistake in mistakes}
        kept = [path for path in kept if path not in wrong]
    return Usable(tuple(kept), tuple(complaints))
