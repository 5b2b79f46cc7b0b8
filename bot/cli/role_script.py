"""`coldmigrate role`: the least that the account of each vCenter needs, as a table and as scripts that set it up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bot.cli.role import config_option

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.vsphere.roles import Extent, Grant

SCHEMA: Final = "coldmigrate.role/1"


@dataclass(frozen=True, slots=True)
class Wish:
    """What one vCenter's account is to be able to do, and where. `prefix` begins the names of its roles."""

    vcenter: str
    user: str
    extent: Extent
    grants: tuple[Grant, ...]
    prefix: str = "coldmigrate"


@click.command()
@click.argument("vcenter", required=False)
@click.option(
    "--script",
    "form",
    type=click.Choice(["table", "powercli", "govc", "json"]),
    default="table",
    show_default=True,
    help="A table, a script that makes roles and permissions, or all of it for machines.",
)
@click.option("--encrypted", is_flag=True, help="Encrypted VMs are moved, too.")
@click.option(
    "--without",
    multiple=True,
    metavar="PRIVILEGE",
    help="Leave this one out; the table says what goes without it. May be repeated.",
)
@config_option
def role(vcenter: str | None, *, form: str, encrypted: bool, without: tuple[str, ...], config: Path | None) -> None:
    """Print the least that the account of a vCenter needs, for what the config allows. Nothing is asked or changed.

    An administrator of the vCenter runs the script; it makes five roles and grants each where it is needed.
    """
    from bot import settings
    from bot.cli import role_forms

    loaded = settings.load(config)
    wishes = [
        replace(wish, extent=replace(wish.extent, encrypted=encrypted, without=_known(without)))
        for wish in wishes_of(loaded)
        if vcenter in {None, wish.vcenter}
    ]
    _require_one(loaded, wishes, vcenter, form)
    click.echo(role_forms.FORMS[form](wishes))


def wishes_of(settings: Settings) -> list[Wish]:
    """What the account of each vCenter that has sites is to be able to do, by the config."""
    from bot.compose import site_specs
    from bot.vsphere.roles import extent_of, grants_of

    sites = list(site_specs(settings).values())
    allow = frozenset(key for key, allowed in settings.allow.model_dump().items() if allowed)
    wishes = []
    for name, table in settings.vcenters.items():
        here = [site for site in sites if site.vcenter == name]
        if here:
            wishes.append(Wish(name, table.user, extent_of(here, sites, allow=allow), grants_of(here)))
    return wishes


def _known(privileges: tuple[str, ...]) -> frozenset[str]:
    from bot.errors import UserError
    from bot.vsphere.needs import NEEDS

    known = {need.privilege for need in NEEDS}
    for name in privileges:
        if name not in known:
            raise UserError(f"{name!r} is no privilege of ours.", example=f"--without {min(known)}")
    return frozenset(privileges)


def _require_one(settings: Settings, wishes: list[Wish], vcenter: str | None, form: str) -> None:
    """A script is for one vCenter: whoever runs it is connected to that one."""
    from bot.errors import UserError

    known = sorted(settings.vcenters)
    if not wishes:
        what = f"There is no vCenter {vcenter!r} with a site" if vcenter else "There is no site"
        raise UserError(f"{what} in the config.", example=f"coldmigrate role {known[0]}" if known else "")
    if len(wishes) > 1 and form in {"powercli", "govc"}:
        names = ", ".join(wish.vcenter for wish in wishes)
        raise UserError(
            f"A script is for one vCenter; name one of {names}.",
            example=f"coldmigrate role {wishes[0].vcenter} --script {form}",
        )
