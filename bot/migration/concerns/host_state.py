"""The target host must be there, connected and out of maintenance."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, host, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a missing, disconnected or resting host; warn of one in quarantine."""
    there = choice.host
    if there is None:
        yield _nowhere(choice)
        return
    if there.connection != "connected":
        yield block(f"Host {there.name} is {there.connection}.", "reconnecting it, or another --host")
    if there.in_maintenance:
        yield block(f"Host {there.name} is in maintenance mode.", "leaving maintenance mode, or another --host")
    if there.quarantined:
        yield warn(f"Host {there.name} is in quarantine: its hardware reported that it is failing.")


def _nowhere(choice: Choice) -> Finding:
    there = choice.site
    if choice.request.avoid and choice.request.host is None:
        return block(
            f"{there.spec.name} has no other host than {', '.join(choice.request.avoid)}, to be avoided here.",
            "asking anew without that, or with --host",
        )
    known = ", ".join(h.name for h in there.hosts) or "none"
    return block(
        f"{there.spec.name} has no host named {choice.host_name}; its hosts: {known}.",
        "naming one of them with --host",
    )


GUARD = Guard(
    id="host-state",
    when="The target host is missing, disconnected or in maintenance; a warning in quarantine.",
    weights=(Severity.BLOCK, Severity.WARN),
    lifted_by="another --host",
    check=check,
    rests_on=host("runtime.connectionState", "runtime.inMaintenanceMode"),
    refined_by=host("runtime.inQuarantineMode"),
    ignorance=Severity.WARN,
)
