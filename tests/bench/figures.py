"""What a benchmark says: figures with a peer and a goal, as a table for people and as JSON for machines.

No measuring here. `build/bench.json` is a list of {name, value, unit, peer, ratio, goal, met}; a figure's name begins
with its part's name and a full stop, which is how a run of one part finds the rows that it replaces.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number. `peer` says in words what it stands beside, and `ratio` is the number divided by the peer's own.

    Without a goal it is information: `met` stays None.
    """

    name: str
    value: float
    unit: str
    peer: str | None = None
    ratio: float | None = None
    goal: str | None = None
    met: bool | None = None

    def against(self, peer: str, value: float) -> Figure:
        """The same, beside what `peer` reached in the same run."""
        return replace(self, peer=f"{peer}: {_number(value)} {self.unit}", ratio=self.value / value)

    def below(self, limit: float) -> Figure:
        """The same, with a limit as its goal. Without a peer, the limit is the peer."""
        aimed = replace(self, goal=f"< {_number(limit)} {self.unit}", met=self.value < limit)
        return aimed if self.peer else replace(aimed, peer="the limit", ratio=self.value / limit)

    def none(self) -> Figure:
        """The same, for something that must not happen at all."""
        return replace(self, goal="none", met=self.value == 0)

    def row(self) -> dict[str, Any]:
        """As JSON: rounded, because the fourth digit is noise."""
        return {**asdict(self), "value": _rounded(self.value), "ratio": _rounded(self.ratio)}


def percentile(sample: Collection[float], share: float) -> float:
    """The smallest value that at least `share` of the sample do not exceed: a value that was really measured."""
    ordered = sorted(sample)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def save(figures: Sequence[Figure], file: Path, *, keep_others_than: Collection[str] | None = None) -> None:
    """Write the rows. With `keep_others_than`, names of parts, the rows of all other parts stay as they were."""
    kept = [] if keep_others_than is None else _foreign(_rows(file), keep_others_than)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps([*kept, *(figure.row() for figure in figures)], indent=1) + "\n", encoding="utf-8")
    draft.replace(file)


def table(figures: Iterable[Figure]) -> str:
    """Aligned columns, one figure a line."""
    cells = [("", "value", "ratio", "peer", "goal", "")]
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{_number(figure.ratio)} x"
        verdict = {None: "", True: "met", False: "MISSED"}[figure.met]
        value = f"{_number(figure.value)} {figure.unit}"
        cells.append((figure.name, value, ratio, figure.peer or "", figure.goal or "", verdict))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in cells)


def _rows(file: Path) -> list[Row]:
    if not file.exists():
        return []
    rows: list[Row] = json.loads(file.read_text(encoding="utf-8"))
    return rows


def _foreign(rows: Iterable[Row], parts: Collection[str]) -> list[Row]:
    return [row for row in rows if str(row["name"]).partition(".")[0] not in parts]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
