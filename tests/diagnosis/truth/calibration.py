"""How sure verdicts say they are, against how often they are right: `python -m tests.diagnosis.truth.calibration`.

Every recorded failure in every layout and under every family of operations, whole and in parts: with its deciding lines
taken away one after the other, and with half of its lines lost. A part must not make the engine surer than it is right.
The rules know all of these; how they do on failures that they were not written for is shown beside, and is the honester
figure, though of few.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.diagnosis.engine import Engine, load_engine
from bot.diagnosis.event import SourceLine
from bot.diagnosis.verdict import Incident
from tests.diagnosis.truth.heldout import held_out, surest_of
from tests.diagnosis.truth.renderings import Rendering, layouts_of, operations_of, render
from tests.diagnosis.truth.specimens import recorded

TABLE = Path(__file__).parents[3] / "build/calibration.txt"
UNDETERMINED = "undetermined"
_BINS = 10


@dataclass(frozen=True)
class Verdict:
    """What was said of one rendering; `right` is None where nothing was named."""

    population: str
    confidence: float
    right: bool | None


@dataclass(frozen=True)
class Bin:
    low: float
    high: float
    count: int
    stated: float
    observed: float

    @property
    def overconfidence(self) -> float:
        return self.stated - self.observed


def verdicts(engine: Engine) -> Iterator[Verdict]:
    """Yield the verdicts on all renderings, whole and in parts."""
    for specimen in recorded():
        for layout in layouts_of(specimen):
            for operations in operations_of(specimen):
                rendering = render(specimen, layout, operations, noise=6, round_=2)
                yield from _of_one(engine, rendering)


def _of_one(engine: Engine, rendering: Rendering) -> Iterator[Verdict]:
    said = _surest(engine, rendering)
    yield _verdict("whole", rendering, said)
    rng = random.Random(f"half of {rendering.seed}")
    lost = [number for number in rendering.ours if rng.random() < 0.5]
    if lost and len(lost) < len(rendering.ours):
        yield _verdict("half lost", rendering, _surest(engine, rendering.without(lost)))
    poorer = rendering
    while said is not None and said.decisive:
        poorer = poorer.without([line.line for line in said.decisive])
        said = _surest(engine, poorer)
        if poorer.ours:
            yield _verdict("without what decides", rendering, said)


def _surest(engine: Engine, rendering: Rendering) -> Incident | None:
    lines = [SourceLine(rendering.file, number, text) for number, text in enumerate(rendering.lines, 1)]
    return max(engine.diagnose_lines(lines).incidents, key=lambda incident: incident.confidence, default=None)


def _verdict(population: str, rendering: Rendering, said: Incident | None) -> Verdict:
    if said is None or said.cause == UNDETERMINED:
        return Verdict(population, 0.0, None)
    return Verdict(population, said.confidence, said.cause == rendering.specimen.cause)


def verdicts_on_what_was_held_out(engine: Engine) -> Iterator[Verdict]:
    """Yield the verdicts on published failures that no rule was written for, once each, strictly by their label."""
    for case in (case for case in held_out() if not case.seen):
        said = surest_of(engine, case.log)
        if said is None or said.cause == UNDETERMINED:
            yield Verdict("held out", 0.0, None)
        else:
            yield Verdict("held out", said.confidence, said.cause == case.cause)


def bins(said: Iterable[Verdict]) -> list[Bin]:
    """Return the filled bins of those verdicts that name a cause."""
    filled: dict[int, list[Verdict]] = {}
    for verdict in said:
        if verdict.right is not None:
            filled.setdefault(min(_BINS - 1, int(verdict.confidence * _BINS + 1e-9)), []).append(verdict)
    return [
        Bin(
            place / _BINS,
            (place + 1) / _BINS,
            len(those),
            sum(verdict.confidence for verdict in those) / len(those),
            sum(bool(verdict.right) for verdict in those) / len(those),
        )
        for place, those in sorted(filled.items())
    ]


def table(said: list[Verdict]) -> str:
    """Return the table for people: all together, then each population."""
    populations = list(dict.fromkeys(verdict.population for verdict in said))
    parts = [_part("all", said)]
    parts += [_part(name, [verdict for verdict in said if verdict.population == name]) for name in populations]
    return "\n".join(parts)


def _part(name: str, said: list[Verdict]) -> str:
    unnamed = sum(verdict.right is None for verdict in said)
    lines = [
        f"{name}: {len(said)} renderings, {unnamed} of them without a named cause",
        "  stated       count   mean stated   observed right   overconfident by",
    ]
    lines += [
        f"  {part.low:.1f} to {part.high:.1f} {part.count:7d} {part.stated:13.2f} {part.observed:16.2f} "
        f"{part.overconfidence:+18.2f}"
        for part in bins(said)
    ]
    return "\n".join(lines) + "\n"


def write(said: list[Verdict], beside: list[Verdict]) -> str:
    """Keep the table of all renderings, with what was held out shown beside, and return it."""
    TABLE.parent.mkdir(exist_ok=True)
    text = "\n".join((table(said), _part("held out, as published (not among all)", beside)))
    TABLE.write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    loaded = load_engine()
    print(write(list(verdicts(loaded)), list(verdicts_on_what_was_held_out(loaded))))
