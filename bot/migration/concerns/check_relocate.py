"""vCenter's own opinion of the plan. It has let through what failed and refused what worked: advice, never a block."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, survey, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of its errors, note its warnings (pyvmomi #1041: it passed, and the relocation failed)."""
    for advice in (choice.survey.advice if choice.survey else None) or ():
        kind = advice.kind.rpartition(".")[2]
        text = f"vCenter's check says: {advice.text.rstrip('.')} ({kind})."
        yield warn(text) if advice.is_error else note(text)


GUARD = Guard(
    id="check-relocate",
    when="CheckRelocate_Task found errors; its warnings are notes. Advice only.",
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="mending what it names, or approving it as it is",
    check=check,
    rests_on=survey("advice"),
)
