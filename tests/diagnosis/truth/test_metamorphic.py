"""A recorded failure in other clothes keeps its cause; without the line that decides, nothing is guessed.

Each failing test prints the seed that makes the same lines again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from bot.diagnosis.engine import Engine
from bot.diagnosis.event import SourceLine
from bot.diagnosis.verdict import Incident, Report
from tests.diagnosis.truth.renderings import (
    OPERATIONS,
    WITH_OPERATIONS,
    Rendering,
    layouts_of,
    operations_of,
    render,
)
from tests.diagnosis.truth.specimens import Specimen, recorded

UNDETERMINED = "undetermined"

pairs = pytest.mark.parametrize(
    ("specimen", "layout"),
    [
        pytest.param(specimen, layout, id=f"{specimen.name}-{layout.replace(' ', '_')}")
        for specimen in recorded()
        for layout in layouts_of(specimen)
    ],
)


def surest(report: Report) -> Incident | None:
    return max(report.incidents, key=lambda incident: incident.confidence, default=None)


def read(engine: Engine, file: str, lines: Sequence[str]) -> Report:
    return engine.diagnose_lines([SourceLine(file, number, text) for number, text in enumerate(lines, 1)])


@pytest.fixture(scope="module")
def plainly(engine: Engine) -> Callable[[Specimen], Report]:
    """What is said of a failure as it was published; once for each."""
    said: dict[str, Report] = {}

    def look(specimen: Specimen) -> Report:
        if specimen.name not in said:
            said[specimen.name] = read(engine, specimen.log.name, specimen.lines)
        return said[specimen.name]

    return look


@pairs
def test_a_failure_in_other_clothes_keeps_its_cause_and_its_lines(engine, plainly, specimen, layout):
    before = plainly(specimen)
    known = surest(before)
    assert known is not None
    for operations in operations_of(specimen):
        rendering = render(specimen, layout, operations)
        after = read(engine, rendering.file, rendering.lines)
        found = surest(after)
        assert found is not None, str(rendering)
        assert (found.cause, found.lines) == (specimen.cause, known.lines), str(rendering)
        assert found.confidence <= known.confidence + 0.001, str(rendering)
        assert len(after.incidents) == len(before.incidents), f"the noise counts: {rendering}"


@pytest.mark.parametrize("operations", OPERATIONS)
def test_an_operation_on_every_line_joins_them_and_changes_no_cause(engine, plainly, operations):
    for specimen in recorded():
        known = surest(plainly(specimen))
        assert known is not None
        for layout in () if specimen.has_operation else sorted(WITH_OPERATIONS.intersection(layouts_of(specimen))):
            rendering = render(specimen.under_one_operation(), layout, operations, noise=9)
            found = surest(read(engine, rendering.file, rendering.lines))
            assert found is not None, str(rendering)
            assert found.cause == specimen.cause, str(rendering)
            assert found.lines >= known.lines, str(rendering)


@pairs
def test_without_the_lines_that_decide_nothing_surer_is_said(engine, specimen, layout):
    rendering = render(specimen, layout, OPERATIONS[len(layout) % len(OPERATIONS)], round_=1)
    full = surest(read(engine, rendering.file, rendering.lines))
    assert full is not None, str(rendering)
    recorded_beside = {alternative.cause.value for alternative in full.alternatives} | set(specimen.allowed)
    rest, left = _peeled(engine, rendering, full)
    if left is not None:
        assert left.cause.value in {UNDETERMINED} | recorded_beside, str(rest)
        assert left.confidence <= full.confidence, str(rest)


def _peeled(engine: Engine, rendering: Rendering, full: Incident) -> tuple[Rendering, Incident | None]:
    """Take the deciding lines away until another thing is said; never may the rest be surer than what was more."""
    said: Incident | None = full
    while said is not None and said.cause == full.cause and said.decisive:
        rendering = rendering.without([line.line for line in said.decisive])
        poorer = surest(read(engine, rendering.file, rendering.lines))
        if poorer is not None:
            assert poorer.confidence <= said.confidence, str(rendering)
        said = poorer
    return rendering, said
