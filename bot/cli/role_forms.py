"""The forms of `coldmigrate role`: a table for people, JSON, and scripts for PowerCLI and govc.

Names of the config end up in scripts that an administrator runs, so each is quoted for its language, and one that has
characters without a width (a line break, an escape) is refused: no quoting makes such a script readable.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from bot.errors import UserError
from bot.vsphere.needs import Need
from bot.vsphere.roles import PART_OF, SYSTEM, Grant, Kind, Part, needs_for, roles_of

if TYPE_CHECKING:
    from bot.cli.role_script import Wish

_QUOTES: Final = frozenset("'\u2018\u2019\u201a\u201b")
"""What PowerShell takes for a single quote."""

_POWERCLI: Final = """\
# Roles and permissions of coldmigrate at vCenter {vcenter}, for PowerCLI.
# Connect-VIServer as an administrator first. It may be run again: roles are brought up, permissions are set anew.
$ErrorActionPreference = 'Stop'
$principal = {principal}
$service = Get-View -Id 'ServiceInstance'
$authorization = Get-View -Id $service.Content.AuthorizationManager

function Set-Role($name, $privileges) {{
    $known = $authorization.RoleList | Where-Object {{ $_.Name -ceq $name }}
    if ($known) {{
        $authorization.UpdateAuthorizationRole($known.RoleId, $name, $privileges)
        return $known.RoleId
    }}
    return $authorization.AddAuthorizationRole($name, $privileges)
}}

function Find-One($among, $what, $name) {{
    $found = @($among | Where-Object {{ $_.Name -ceq $name }})
    if ($found.Count -ne 1) {{ throw "$($found.Count) ${{what}}s are named $name" }}
    return $found[0]
}}

function Find-Datacenter($name) {{
    $properties = 'Name', 'VmFolder', 'NetworkFolder', 'Datastore', 'Network'
    return Find-One (Get-View -ViewType Datacenter -Property $properties) 'datacenter' $name
}}

function Set-Permission($reference, $role, $propagate) {{
    $permission = New-Object VMware.Vim.Permission
    $permission.Principal = $principal
    $permission.Group = $false
    $permission.RoleId = $role
    $permission.Propagate = $propagate
    $authorization.SetEntityPermissions($reference, @($permission))
}}

{body}
"""

_GOVC: Final = """\
#!/bin/sh
# Roles and permissions of coldmigrate at vCenter {vcenter}, for govc.
# Set GOVC_URL, GOVC_USERNAME and GOVC_PASSWORD of an administrator first. It may be run again.
set -eu
principal={principal}

role() {{
  if govc role.ls "$1" >/dev/null 2>&1; then govc role.update "$@"; else govc role.create "$@"; fi
}}

one() {{ # what kind, below what, named how
  found=$(govc find -type "$1" -name "$3" "$2")
  case "$found" in
    '') echo "there is no $1 named $3 in $2" >&2; exit 1 ;;
    *'
'*) echo "several are named $3 in $2" >&2; exit 1 ;;
  esac
  printf '%s' "$found" | sed 's/[][*?\\]/\\\\&/g'
}}

grant() {{ # role, propagate, object
  govc permissions.set -principal "$principal" -role "$1" -propagate="$2" "$3"
}}

{body}
"""


def table(wishes: Sequence[Wish]) -> str:
    """For people: for each vCenter what the roles hold and why, and where they are granted."""
    return "\n\n".join(_page(wish) for wish in wishes)


def _page(wish: Wish) -> str:
    heads = ("role", "privilege", "on", "why", "without it")
    rows = [_row(wish, need) for need in needs_for(wish.extent)]
    where = [
        (role_name(wish, g.part), place(g), "and below" if g.propagate else "this object alone") for g in wish.grants
    ]
    parts = [
        f"vCenter {wish.vcenter}, account {wish.user}. Every role has {', '.join(SYSTEM)}, too.",
        _columns([heads, *rows]),
        "Granted on:",
        _columns(where),
    ]
    return "\n".join(parts)


def _row(wish: Wish, need: Need) -> tuple[str, ...]:
    without = need.without if need.needed else f"optional: {need.without}"
    return role_name(wish, PART_OF[need.on]), need.privilege, need.on.value, need.what_for, without.replace("`", "")


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    from bot.diagnosis.printable import printable

    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        printable("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for row in rows
    )


def as_json(wishes: Sequence[Wish]) -> str:
    """For machines."""
    import json

    from bot.cli.role_script import SCHEMA

    vcenters = [
        {
            "vcenter": wish.vcenter,
            "user": wish.user,
            "roles": {role_name(wish, role.part): role.privileges for role in roles_of(wish.extent)},
            "permissions": [
                {
                    "role": role_name(wish, grant.part),
                    "kind": grant.kind,
                    "datacenter": grant.datacenter,
                    "name": grant.name,
                    "propagate": grant.propagate,
                }
                for grant in wish.grants
            ],
        }
        for wish in wishes
    ]
    return json.dumps({"schema": SCHEMA, "vcenters": vcenters}, indent=2)


def role_name(wish: Wish, part: Part) -> str:
    """The name of a role, the same at every vCenter: `coldmigrate-vms`."""
    return f"{wish.prefix}-{part}"


def place(grant: Grant) -> str:
    """Where it is granted, for people."""
    named = " ".join(word for word in (grant.kind.value, grant.name) if word)
    return f"{named} of datacenter {grant.datacenter}" if grant.datacenter else named


# ---- PowerCLI: through the API's own views, which take names as they are and know every kind of network


def powercli(wishes: Sequence[Wish]) -> str:
    """For PowerCLI."""
    (wish,) = wishes
    made = [
        f"${role.part} = Set-Role {_single(role_name(wish, role.part))} @({', '.join(map(_single, role.privileges))})"
        for role in roles_of(wish.extent)
    ]
    granted = [f"Set-Permission {_view(g)} ${g.part} ${str(g.propagate).lower()}" for g in wish.grants]
    body = "\n".join([*made, *granted])
    return _POWERCLI.format(vcenter=_safe(wish.vcenter), principal=_single(wish.user), body=body).rstrip()


def _view(grant: Grant) -> str:
    """An expression for the reference of the object."""
    datacenter = f"(Find-Datacenter {_single(escaped(grant.datacenter))})"
    below = f"-Property Name, Parent -SearchRoot {datacenter}.MoRef"
    template = {
        Kind.ROOT: "$service.Content.RootFolder",
        Kind.VM_FOLDER: f"{datacenter}.VmFolder",
        Kind.NETWORK_FOLDER: f"{datacenter}.NetworkFolder",
        Kind.CLUSTER: f"(Find-One (Get-View -ViewType ClusterComputeResource {below}) 'cluster' NAME).MoRef",
        Kind.OF_HOST: f"(Find-One (Get-View -ViewType HostSystem {below}) 'host' NAME).Parent",
        Kind.DATASTORE: f"(Find-One (Get-View -Id {datacenter}.Datastore -Property Name) 'datastore' NAME).MoRef",
        Kind.NETWORK: f"(Find-One (Get-View -Id {datacenter}.Network -Property Name) 'network' NAME).MoRef",
    }[grant.kind]
    before, found, after = template.rpartition("NAME")
    return f"{before}{_single(escaped(grant.name))}{after}" if found and grant.name else template


def _single(text: str) -> str:
    """A string of PowerShell in which nothing is expanded."""
    return "'" + "".join(2 * one if one in _QUOTES else one for one in _safe(text)) + "'"


# ---- govc


def govc(wishes: Sequence[Wish]) -> str:
    """For govc, in the language of POSIX shells."""
    (wish,) = wishes
    made = [shlex.join(["role", role_name(wish, role.part), *role.privileges]) for role in roles_of(wish.extent)]
    granted = [line for grant in wish.grants for line in _grant(wish, grant)]
    body = "\n".join([*made, *granted])
    return _GOVC.format(vcenter=_safe(wish.vcenter), principal=shlex.quote(_safe(wish.user)), body=body).rstrip()


def _grant(wish: Wish, grant: Grant) -> list[str]:
    """Look the object up on a line of its own: a failure within an argument would go unnoticed."""
    role, propagate = shlex.quote(role_name(wish, grant.part)), str(grant.propagate).lower()
    if grant.kind is Kind.ROOT:
        return [f"grant {role} {propagate} /"]
    top = f"/{_pattern(grant.datacenter)}"
    kind, folder = _GOVC_KINDS[grant.kind]
    where = shlex.quote(f"{top}/{folder}")
    if not grant.name:
        return [f"grant {role} {propagate} {where}"]
    lines = [f"object=$(one {kind} {where} {shlex.quote(_pattern(grant.name))})"]
    if grant.kind is Kind.OF_HOST:
        lines.append("object=${object%/*}")
    return [*lines, f'grant {role} {propagate} "$object"']


_GOVC_KINDS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.VM_FOLDER: ("f", "vm"),
    Kind.CLUSTER: ("c", "host"),
    Kind.OF_HOST: ("h", "host"),
    Kind.DATASTORE: ("s", "datastore"),
    Kind.NETWORK: ("n", "network"),
    Kind.NETWORK_FOLDER: ("f", "network"),
}
"""What govc calls such an object, and the folder of a datacenter that it is in."""


def _pattern(name: str) -> str:
    """A pattern of govc that fits this name alone."""
    return "".join(f"\\{one}" if one in "*?[]\\" else one for one in escaped(_safe(name)))


def escaped(name: str) -> str:
    """A name as vCenter keeps it."""
    return name.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")


def _safe(text: str) -> str:
    if not text.isprintable():
        raise UserError(f"{text!r} of the config has characters that nobody sees; no script is made of it.")
    return text


FORMS: Final[Mapping[str, Callable[[Sequence[Wish]], str]]] = {
    "table": table,
    "json": as_json,
    "powercli": powercli,
    "govc": govc,
}
