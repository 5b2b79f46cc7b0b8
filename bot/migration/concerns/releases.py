"""Which virtual hardware which release of ESXi runs, at most: KB 1003746 as data. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Runs:
    """The newest hardware of a release: `surely`, and `at_most` with an update that its version does not tell."""

    surely: int
    at_most: int


NEWEST: Final[tuple[tuple[tuple[int, ...], Runs], ...]] = (
    ((9, 0), Runs(22, 22)),
    ((8, 0, 2), Runs(21, 21)),
    ((8, 0), Runs(20, 20)),
    ((7, 0, 2), Runs(19, 19)),
    ((7, 0, 1), Runs(18, 18)),
    ((7, 0), Runs(17, 17)),
    ((6, 7), Runs(14, 15)),  # 15 came with 6.7 Update 2, and every 6.7 calls itself 6.7.0
    ((6, 5), Runs(13, 13)),
    ((6, 0), Runs(11, 11)),
    ((5, 5), Runs(10, 10)),
    ((5, 1), Runs(9, 9)),
    ((5, 0), Runs(8, 8)),
)
"""From the newest release down: a version belongs to the first that is not newer than itself."""

NEWEST_MAJOR: Final = 9
"""Of releases after this nothing is known here."""


def newest_hardware(version: str) -> Runs | None:
    """What a host of this version ("8.0.3") runs; None for a release that the table does not have."""
    numbers = _numbers(version)
    if not numbers or numbers[0] > NEWEST_MAJOR:
        return None
    return next((runs for release, runs in NEWEST if numbers >= release), None)


def release_of(hardware: int) -> str:
    """The oldest release that runs this hardware ("8.0.2"), or empty."""
    fit = [release for release, runs in NEWEST if runs.at_most >= hardware]
    return ".".join(map(str, fit[-1])) if fit else ""


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
