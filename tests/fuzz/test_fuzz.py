"""A short run of every fuzz target, and the proof that a broken promise would be found."""

from __future__ import annotations

import platform
import sys

import pytest

from tests.fuzz.run import fuzz

fuzzable = sys.platform == "linux" and platform.machine() == "x86_64"
pytestmark = pytest.mark.skipif(not fuzzable, reason="atheris has no wheel for this machine")


@pytest.mark.parametrize("target", ["log", "rule", "syslog"])
def test_whatever_comes_in_breaks_no_promise(target, tmp_path):
    outcome = fuzz(target, seconds=8, folder=tmp_path)
    assert outcome.broken == ""
    assert outcome.edges >= outcome.seeds_edges > 0


def test_a_broken_promise_is_found(tmp_path):
    assert "the planted defect was found" in fuzz("planted", seconds=60, folder=tmp_path).broken
