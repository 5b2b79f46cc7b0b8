"""Verdicts are not surer than right. Modesty is reported, not failed: transport causes are capped on purpose."""

from __future__ import annotations

from tests.diagnosis.truth.calibration import Verdict, bins, verdicts, verdicts_on_what_was_held_out, write

_ENOUGH = 20
_TOO_SURE = 0.1


def test_no_bin_is_surer_than_right(engine):
    said = list(verdicts(engine))
    text = write(said, list(verdicts_on_what_was_held_out(engine)))
    too_sure = [part for part in bins(said) if part.count >= _ENOUGH and part.overconfidence > _TOO_SURE]
    assert not too_sure, text
    assert sum(part.count for part in bins(said)) > 10 * _ENOUGH, text


def test_a_braggart_would_be_found():
    said = [Verdict("whole", 0.9, right=place < 30) for place in range(40)]
    (part,) = bins(said)
    assert (part.low, part.count) == (0.9, 40)
    assert part.overconfidence > _TOO_SURE
