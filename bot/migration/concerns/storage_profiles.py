"""A storage policy is a promise of this vCenter's datastores; the plan asks for none at the target."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Note the policies that the VM has now."""
    if choice.vm.storage_profiles:
        yield note(
            f"{choice.vm.ref.name} has storage policies ({', '.join(choice.vm.storage_profiles)}); whether"
            f" {choice.datastore_name} meets them is not looked at."
        )


GUARD = Guard(
    id="storage-profiles",
    when="The VM has storage policies; whether the target meets them is not looked at.",
    weights=(Severity.NOTE,),
    lifted_by="checking compliance after the move",
    check=check,
    rests_on=vm("storageProfiles"),
)
