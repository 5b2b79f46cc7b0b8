"""Our account must be allowed what the plan needs, on these very objects; a refusal in the middle helps nobody."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, note, survey
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block what the move cannot do without; note what goes without it."""
    found = choice.survey.missing_privileges if choice.survey else None
    for missing in found or ():
        text = f"Our account lacks {missing.privilege} on the {missing.kind} {missing.on}, {missing.what_for}."
        yield block(text) if missing.needed else note(text)


GUARD = Guard(
    id="privileges",
    when="Our account lacks a privilege on an object of the plan; a note for optional ones.",
    weights=(Severity.BLOCK, Severity.NOTE),
    lifted_by="whoever keeps vCenter's roles (docs/privileges.md)",
    check=check,
    refined_by=survey("missing_privileges"),
    ignorance=Severity.WARN,
)
