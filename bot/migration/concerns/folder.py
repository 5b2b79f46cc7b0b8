"""The VM needs a folder to land in, and a name of its own there."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Block a missing folder and a name that is taken (vCenter would answer DuplicateName)."""
    name = choice.vm.ref.name
    if choice.site.folder_moid is None:
        yield Concern(
            "folder",
            Severity.BLOCK,
            f"{choice.site.spec.name} has no VM folder '{choice.site.folder}'.",
            lifted_by="creating it, or mending the site's folder in the config",
        )
    elif name in choice.site.names_in_folder and choice.source_site != choice.site.spec.name:
        yield Concern(
            "name-clash",
            Severity.BLOCK,
            f"The folder '{choice.site.folder}' at {choice.site.spec.name} already has a VM named {name}.",
            lifted_by="renaming one of them",
        )
