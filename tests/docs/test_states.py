"""The pictures and tables of docs/states.md and docs/concerns.md are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.migration.concerns import catalogue
from bot.migration.concerns.catalogue import GUARDS
from bot.migration.machine import TRANSITIONS, Phase
from tests.docs import generated


@pytest.mark.parametrize("page", generated.PAGES, ids=lambda page: page.name)
def test_a_page_does_not_lag_behind_the_code(page):
    text = page.read_text(encoding="utf-8")
    assert all(f"<!-- generated: {part} -->" in text for part in generated.PAGES[page])
    assert text == generated.renewed(text), "run: python -m tests.docs.generated"


def test_a_page_that_lags_is_seen():
    old = "<!-- generated: diagram -->\nold\n<!-- end -->"
    assert generated.renewed(old) == f"<!-- generated: diagram -->\n{generated.diagram()}\n<!-- end -->"


def test_the_picture_has_every_transition_and_every_state():
    picture = generated.diagram()
    assert all(
        f"    {before} --> {after}: {event.__name__}\n" in picture for (before, event), after in TRANSITIONS.items()
    )
    assert all(f" {phase}" in picture for phase in Phase)


def test_every_guard_is_in_the_catalogue():
    files = {path.stem for path in Path(catalogue.__file__).parent.glob("*.py")}
    assert {guard.check.__module__.rpartition(".")[2] for guard in GUARDS} == files - {
        "__init__",
        "catalogue",
        "guard",
        "releases",
    }


def test_a_guard_is_called_as_its_file():
    assert [g.id for g in GUARDS] == [g.check.__module__.rpartition(".")[2].replace("_", "-") for g in GUARDS]


def test_every_part_is_on_one_page():
    assert sorted(part for parts in generated.PAGES.values() for part in parts) == sorted(generated.PARTS)


def test_every_state_has_a_row_that_says_what_to_do(pages):
    assert [phase for phase in Phase if f"\n| `{phase}` |" not in pages["docs/operating.md"]] == []
