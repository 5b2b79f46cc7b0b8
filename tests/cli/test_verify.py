"""The list of what waits for a real vCenter: complete, true to the tree, and its trials are there."""

from __future__ import annotations

import re
from pathlib import Path

from bot.cli.verifying import items
from bot.vsphere.trials import TRIALS

ROOT = Path(__file__).parents[2]
REMARK = re.compile(r"unverified|nobody could compare|is not published|was never run", re.IGNORECASE)
"""How remarks begin that something could not be tried."""


def test_items_have_names_of_their_own_and_trials_that_exist():
    every = items()
    assert len({item.id for item in every}) == len(every)
    assert {item.attempt for item in every if item.attempt} == set(TRIALS)
    assert all(item.check and item.report.endswith(".") and item.believed.endswith(".") for item in every)


def test_the_files_that_rest_on_them_are_there():
    assert [file for item in items() for file in item.where if not (ROOT / file).is_file()] == []


def test_no_remark_that_something_is_unverified_is_left_out():
    named = {file for item in items() for file in item.where}
    pages = [
        *ROOT.glob("bot/**/*.py"),
        *ROOT.glob("handlers/**/*.py"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("tests/vsphere/*.py"),
    ]
    remarked = {str(page.relative_to(ROOT)) for page in pages if REMARK.search(page.read_text(encoding="utf-8"))}
    assert remarked
    assert remarked - named - {"docs/verify.md"} == set()
