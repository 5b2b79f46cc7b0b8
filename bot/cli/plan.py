"""`coldmigrate plan VM SITE`: the plan that Slack would show, asked of the vCenters directly. Nothing is queued."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from bot.cli.role import config_option
from bot.operations.option import Option, disk_label, pair

if TYPE_CHECKING:
    from bot.migration.plan import Concern, Plan
    from bot.operations.port import MigrateOrder

EXIT_BLOCKED: Final = 1
_MEANING: Final = {
    Option.THIN: "All disks become thin.",
    Option.SHUTDOWN: "The guest is shut down before.",
    Option.POWER_ON: "The VM is powered on after.",
    Option.DISCONNECT_ISO: "Images are taken out of its drives before.",
    Option.CONSOLIDATE: "Deltas that no snapshot owns are merged before.",
    Option.FORCE: "Its warnings count as lifted.",
    Option.WHEN_CLEAN: "It waits until its link is clean.",
}

Command = TypeVar("Command", bound=Callable[..., object])


def _with_options(command: Command) -> Command:
    """What Slack takes as an option with a yes or no."""
    for option in reversed(Option):
        command = click.option(option.typed, option.name.lower(), is_flag=True, help=_MEANING[option])(command)
    return command


@click.command()
@click.argument("vm")
@click.argument("site")
@click.option("--host", help="The host to land on; else the one with the fewest copies.")
@click.option("--datastore", help="The datastore to land on; else the site's.")
@click.option(
    "--network", "networks", multiple=True, metavar="FROM=TO", help="A network here and over there; repeatable."
)
@click.option(
    "--disk", "disks", multiple=True, metavar="LABEL=DATASTORE", help='A disk that goes elsewhere, "2=ds"; repeatable.'
)
@_with_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@config_option
def plan(vm: str, site: str, form: str, config: Path | None, **asked: Any) -> None:
    """Show the plan for moving VM (name, inventory path or UUID) to SITE.

    Exit code 0: it could start; 1: something blocks it; 2: what was asked for does not exist.
    """
    made = asyncio.run(_plan(_order(vm, site, asked), config=config))
    click.echo(json.dumps(_plain(made), indent=2) if form == "json" else "\n".join(_lines(made)))
    raise SystemExit(0 if made.safe else EXIT_BLOCKED)


def _order(vm: str, site: str, asked: Mapping[str, Any]) -> MigrateOrder:
    """What was typed. UserError for a network or disk that is not in the form FROM=TO, or is there twice."""
    from bot.operations.port import MigrateOrder

    networks: dict[str, str] = {}
    disks: dict[str, str] = {}
    for text in asked["networks"]:
        pair(text, networks, option="--network", example='--network "VM Network=Production"')
    for text in asked["disks"]:
        label, sign, datastore = text.partition("=")
        pair(f"{disk_label(label)}{sign}{datastore}", disks, option="--disk", example='--disk "Hard disk 2=ds-c2-02"')
    order = MigrateOrder(
        vm, site, asked["host"], asked["datastore"], networks=networks, disk_datastores=disks, dry_run=True
    )
    return order.with_options({option: bool(asked[option.name.lower()]) for option in Option})


async def _plan(order: MigrateOrder, *, config: Path | None) -> Plan:
    from bot import settings
    from bot.compose import fleet_of
    from bot.migration.choice import Outlook
    from bot.migration.request import SiteName
    from bot.operations.plan_migration import plan_migration, resolve_vm
    from bot.operations.survey import Surveying

    async with fleet_of(settings.load(config)) as fleet:
        target = fleet.site(SiteName(order.site))
        request = order.request(await resolve_vm(fleet, order.vm), target.name)
        outlook = Outlook(datetime.now(UTC), fleet.calendar)
        return await plan_migration(fleet, request, outlook=outlook, surveying=Surveying())


def _plain(made: Plan) -> Any:
    from pydantic import TypeAdapter

    from bot.migration.plan import Plan as Shape

    return TypeAdapter(Shape).dump_python(made, mode="json")


def _lines(made: Plan) -> list[str]:
    from bot.diagnosis.printable import printable
    from bot.migration.plan import heaviest_first
    from bot.migration.size import gib
    from bot.operations.option_words import options_in_words

    vm = made.request.vm
    lines = [
        f"{vm.name} ({vm.vcenter}, {vm.uuid}) to {made.target.site}",
        f"  from      {made.source.host}, {made.vm_path_name}",
        f"  to        {made.target.host}, {made.target.datastore}, folder {made.target.folder}",
        f"  to copy   {gib(made.size)} in {len(made.disks)} disks, over {made.link}",
        *(f"  network   {nic.label}: {nic.source_network} to {nic.target_network}" for nic in made.nics),
    ]
    if options := options_in_words(made.request):
        lines.append(f"  options   {options}")
    if made.path is not None:
        lines.append(f"  data path {made.path.words}: {made.path.why} {made.path.doubt}".rstrip())
    lines.extend(map(_line, heaviest_first(made.concerns)))
    lines.append(
        "Nothing speaks against it." if not made.concerns else "It can start." if made.safe else "It cannot start."
    )
    return [printable(line) for line in lines]


def _line(concern: Concern) -> str:
    unknown = " (not readable)" if concern.unreadable else ""
    return f"  {concern.severity:<9} {concern.said}{unknown}"
