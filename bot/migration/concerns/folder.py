"""The VM needs a folder to land in."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, site
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a missing folder."""
    if choice.site.folder_moid is None:
        yield block(f"{choice.site.spec.name} has no VM folder '{choice.site.folder}'.")


GUARD = Guard(
    id="folder",
    when="The folder of the config does not exist.",
    weights=(Severity.BLOCK,),
    lifted_by="creating it, or mending the site's folder in the config",
    check=check,
    rests_on=site("vmFolder"),
    ignorance=Severity.WARN,
)
