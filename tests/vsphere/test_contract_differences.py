"""The list of differences is alive: every entry is asked for by a test, differs, and says why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.vsphere.differences import DIFFERENCES

ASKED = {
    found
    for file in Path(__file__).parent.glob("test_contract*.py")
    for found in re.findall(r'says\(\s*"([^"]+)"\s*\)', file.read_text(encoding="utf-8"))
}


def test_every_difference_is_asked_for_and_every_question_is_listed():
    assert DIFFERENCES.keys() == ASKED


@pytest.mark.parametrize("what", DIFFERENCES)
def test_an_entry_differs_and_is_justified(what):
    entry = DIFFERENCES[what]
    assert entry.player != entry.vcsim
    assert entry.why
    assert entry.source
