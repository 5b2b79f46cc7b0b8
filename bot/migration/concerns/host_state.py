"""The target host must be there, connected, out of maintenance, and see the datastore."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Block a missing, disconnected or resting host, and one that does not mount the datastore."""
    host = choice.host
    if host is None and choice.request.avoid and choice.request.host is None:
        yield Concern(
            "host-state",
            Severity.BLOCK,
            f"{choice.site.spec.name} has no other host than {', '.join(choice.request.avoid)}, to be avoided here.",
            lifted_by="asking anew without that, or with --host",
        )
        return
    if host is None:
        known = ", ".join(h.name for h in choice.site.hosts) or "none"
        yield Concern(
            "host-state",
            Severity.BLOCK,
            f"{choice.site.spec.name} has no host named {choice.host_name}; its hosts: {known}.",
            lifted_by="naming one of them with --host",
        )
        return
    if host.connection != "connected":
        yield Concern(
            "host-state", Severity.BLOCK, f"Host {host.name} is {host.connection}.", lifted_by="reconnecting it"
        )
    if host.in_maintenance:
        yield Concern(
            "host-state",
            Severity.BLOCK,
            f"Host {host.name} is in maintenance mode.",
            lifted_by="leaving maintenance mode, or another --host",
        )
    if choice.datastore is not None and choice.datastore.name not in host.datastores:
        yield Concern(
            "host-datastore",
            Severity.BLOCK,
            f"Host {host.name} does not mount datastore {choice.datastore.name}.",
            lifted_by="another --host or --datastore",
        )
