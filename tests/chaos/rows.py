"""What a part of the chaos run says: one row for each thing it did, as a table for people and as JSON for machines.

No chaos here. `build/chaos.json` is a list of rows; a run of one part replaces that part's rows and keeps the others.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


class UnmeasuredError(Exception):
    """The part could not be carried out, so it says nothing about the product."""


class HungError(Exception):
    """Something that had to happen did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was done to the product and how it stood that. A `breach` is a sentence about a broken promise.

    `name` is the part's, or begins with it and a full stop. `did` says how often what was done. `pickup` is the 99th
    percentile of seconds until somebody else had a dead worker's job, beside its limit. `notes` are measured facts that
    are neither good nor bad.
    """

    name: str
    did: Mapping[str, int]
    jobs: int = 0
    relocations: int = 0
    lost: int = 0
    twice: int = 0
    pickup: tuple[float, float] | None = None
    notes: Mapping[str, float | str] = field(default_factory=dict)
    breaches: Sequence[str] = ()
    seed: int = 0
    scale: str = ""

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}

    @property
    def verdict(self) -> str:
        return f"BREACH ({len(self.breaches)})" if self.breaches else "held"


_HEAD = ("part", "what was done", "jobs", "relocations", "lost", "twice", "pick-up p99", "verdict", "measured")


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Aligned columns, one row a line."""
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in cells)


def read(file: Path) -> list[dict[str, Any]]:
    """The rows of earlier runs."""
    if not file.exists():
        return []
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return rows


def merge(rows: Sequence[Row], file: Path, *, parts: Collection[str], keep: bool) -> list[dict[str, Any]]:
    """Write the rows; with `keep` those of other parts stay as they were. Answers all that stand there now."""
    kept = [row for row in read(file) if part_of(row["name"]) not in parts] if keep else []
    merged = sorted([*kept, *(row.as_json() for row in rows)], key=lambda row: str(row["name"]))
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")
    draft.replace(file)
    return merged


def part_of(name: str) -> str:
    """The part that a row belongs to."""
    return name.partition(".")[0]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    did = ", ".join(f"{what} {count}" for what, count in row["did"].items())
    pickup = f"{row['pickup'][0]:.2f} s of {row['pickup'][1]:.2f}" if row["pickup"] else ""
    counts = (str(row[name]) for name in ("jobs", "relocations", "lost", "twice"))
    notes = ", ".join(f"{what} {_short(value)}" for what, value in row["notes"].items())
    return (row["name"], did, *counts, pickup, row["verdict"], notes)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
