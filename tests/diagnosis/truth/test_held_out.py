"""What nobody wrote a rule for is mostly told, and ordinary excerpts raise nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from tests.diagnosis.truth.heldout import HERE, NOTHING, HeldOut, held_out, surest_of

# What was reached after mechanisms were mended, as shares of all. Those that no case was recorded of are only reported:
# their share falls whenever one of them that is told becomes a case.
TOP_ONE, ALLOWED = 0.75, 0.9

ORDINARY = sorted(path for path in (HERE / "ordinary").iterdir() if path.is_dir())


def shares(cases: Sequence[HeldOut], said: Mapping[str, str]) -> tuple[float, float]:
    """Return how many verdicts are those of the label, and how many the source allows at least."""
    top_one = sum(said[case.name] == case.cause for case in cases)
    allowed = sum(said[case.name] in {case.cause, *case.allowed} for case in cases)
    return top_one / max(1, len(cases)), allowed / max(1, len(cases))


def test_failures_nobody_wrote_a_rule_for_are_mostly_told(engine):
    cases = held_out()
    unseen = [case for case in cases if not case.seen]
    verdicts = {case.name: surest_of(engine, case.log) for case in cases}
    said = {name: verdict.cause.value if verdict else NOTHING for name, verdict in verdicts.items()}
    shown = "\n".join(case.line(said[case.name]) for case in cases)
    for name, those in (("all", cases), ("unseen", unseen)):
        top_one, allowed = shares(those, said)
        shown += f"\n{name}: {len(those)}, top-1 {top_one:.2f}, with what the source allows {allowed:.2f}"
    print(f"\n{shown}")
    assert len(cases) >= 20
    assert all(share >= bound for share, bound in zip(shares(cases, said), (TOP_ONE, ALLOWED), strict=True)), shown


@pytest.mark.parametrize("folder", ORDINARY, ids=lambda folder: folder.name)
def test_ordinary_excerpts_raise_nothing(engine, folder):
    (log,) = folder.glob("*.log")
    assert engine.diagnose_paths([log]).incidents == ()
