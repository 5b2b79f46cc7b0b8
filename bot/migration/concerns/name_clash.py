"""Two VMs of one name cannot be in one folder."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, site
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a name that is taken (vCenter would answer DuplicateName)."""
    name, there = choice.vm.ref.name, choice.site
    if there.folder_moid is not None and name in there.names_in_folder and choice.source_site != there.spec.name:
        yield block(f"The folder '{there.folder}' at {there.spec.name} already has a VM named {name}.")


GUARD = Guard(
    id="name-clash",
    when="The target folder has a VM of that name; vCenter would answer DuplicateName.",
    weights=(Severity.BLOCK,),
    lifted_by="renaming one of them",
    check=check,
    rests_on=site("name", "parent"),
    ignorance=Severity.WARN,
)
