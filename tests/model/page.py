"""What docs/states.md shows of the search, beside the picture of the machine that was searched."""

from __future__ import annotations

from tests.model.guards import Guard
from tests.model.invariants import INVARIANTS, reaches_an_end
from tests.model.proof import PURPOSE, kept, sentence


def model() -> str:
    """What was searched, what holds everywhere, and what no longer does without each guard."""
    worlds = [f"| {name} | {row['states']:,} | {row['steps']:,} | {row['depth']} |" for name, row in kept().items()]
    holds = [f"- {sentence(invariant)}" for invariant in (*INVARIANTS, reaches_an_end)]
    guards = [f"| {guard} | {sentence(PURPOSE[guard][1])} |" for guard in Guard]
    return "\n".join(
        [
            "| world | states | steps | depth |",
            "| --- | --- | --- | --- |",
            *worlds,
            "",
            "Everywhere:",
            "",
            *holds,
            "",
            "| without this guard | this no longer holds |",
            "| --- | --- |",
            *guards,
        ]
    )
