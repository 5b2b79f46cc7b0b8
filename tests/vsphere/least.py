"""An account of a played world with the roles that `bot.vsphere.roles` makes, each where it is granted."""

from __future__ import annotations

from collections.abc import Sequence

from bot.migration.facts import SiteSpec
from bot.vsphere.needs import ACROSS, ENCRYPTED, NEEDS
from bot.vsphere.roles import SYSTEM, Extent, Grant, Kind, Part, grants_of, roles_of

ALLOWED = frozenset(key for need in NEEDS for key in need.allow)
WITHIN = sorted({need.privilege for need in NEEDS if need.when not in {ACROSS, ENCRYPTED}})
"""What moves within one vCenter need, with every option."""

FOLDERS = {
    Kind.VM_FOLDER: "vm",
    Kind.CLUSTER: "host",
    Kind.DATASTORE: "datastore",
    Kind.NETWORK: "network",
    Kind.NETWORK_FOLDER: "network",
}


def account(user: str, sites: Sequence[SiteSpec], extent: Extent, *, password: str = "correct horse") -> str:  # noqa: S107 - of a play
    """A line of the world's `accounts`."""
    held = {role.part: listed((*SYSTEM, *role.privileges)) for role in roles_of(extent)}
    permissions = ", ".join(
        f'{{ on = "{path(grant)}", privileges = {held[grant.part]}, propagate = {str(grant.propagate).lower()} }}'
        for grant in grants_of(sites)
        if grant.kind is not Kind.ROOT
    )
    return (
        f'  {{ user = "{user}", password = "{password}", privileges = {held[Part.ROOT]},'
        f" permissions = [{permissions}] }},\n"
    )


def path(grant: Grant) -> str:
    """The inventory path of what a role is granted on."""
    if grant.kind is Kind.ROOT:
        return "/"
    return "/".join(["", grant.datacenter, FOLDERS[grant.kind], *filter(None, [grant.name])])


def listed(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
