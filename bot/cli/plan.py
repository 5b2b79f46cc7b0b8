"""`coldmigrate plan VM SITE`: the plan that Slack would show, asked of the vCenters directly. Nothing is queued."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.role import config_option

if TYPE_CHECKING:
    from bot.migration.plan import Plan

EXIT_BLOCKED = 1


@click.command()
@click.argument("vm")
@click.argument("site")
@click.option("--host", help="The host to land on; else the one with the fewest running VMs.")
@click.option("--datastore", help="The datastore to land on; else the site's.")
@click.option(
    "--network", "networks", multiple=True, metavar="FROM=TO", help="A network here and over there; repeatable."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@config_option
def plan(
    vm: str,
    site: str,
    host: str | None,
    datastore: str | None,
    networks: tuple[str, ...],
    form: str,
    config: Path | None,
) -> None:
    """Show the plan for moving VM (name, inventory path or UUID) to SITE.

    Exit code 0: it could start; 1: something blocks it; 2: what was asked for does not exist.
    """
    made = asyncio.run(_plan(vm, site, host=host, datastore=datastore, networks=_pairs(networks), config=config))
    click.echo(json.dumps(_plain(made), indent=2) if form == "json" else "\n".join(_lines(made)))
    raise SystemExit(0 if made.safe else EXIT_BLOCKED)


def _pairs(networks: tuple[str, ...]) -> dict[str, str]:
    split = [network.partition("=") for network in networks]
    if wrong := [name for name, sign, target in split if not (name and sign and target)]:
        raise click.BadParameter(f"'{wrong[0]}' is not of the form FROM=TO.", param_hint="--network")
    return {name: target for name, _, target in split}


async def _plan(
    vm: str, site: str, *, host: str | None, datastore: str | None, networks: dict[str, str], config: Path | None
) -> Plan:
    from bot import settings
    from bot.compose import fleet_of
    from bot.migration.choice import Outlook
    from bot.migration.request import MigrationRequest, SiteName
    from bot.operations.plan_migration import plan_migration, resolve_vm

    async with fleet_of(settings.load(config)) as fleet:
        target = fleet.site(SiteName(site))
        ref = await resolve_vm(fleet, vm)
        request = MigrationRequest(
            vm=ref, site=target.name, host=host, datastore=datastore, networks=networks, dry_run=True
        )
        return await plan_migration(fleet, request, outlook=Outlook(datetime.now(UTC), fleet.calendar))


def _plain(made: Plan) -> Any:
    from pydantic import TypeAdapter

    from bot.migration.plan import Plan as Shape

    return TypeAdapter(Shape).dump_python(made, mode="json")


def _lines(made: Plan) -> list[str]:
    from bot.diagnosis.printable import printable
    from bot.migration.size import gib

    vm = made.request.vm
    lines = [
        f"{vm.name} ({vm.vcenter}, {vm.uuid}) to {made.target.site}",
        f"  from      {made.source.host}, {made.vm_path_name}",
        f"  to        {made.target.host}, {made.target.datastore}, folder {made.target.folder}",
        f"  to copy   {gib(made.size)} in {len(made.disks)} disks, over {made.link}",
        *(f"  network   {nic.label}: {nic.source_network} to {nic.target_network}" for nic in made.nics),
    ]
    for concern in made.concerns:
        lifted = f" Lifted by: {concern.lifted_by}." if concern.lifted_by else ""
        lines.append(f"  {concern.severity:<9} {concern.text}{lifted}")
    lines.append(
        "Nothing speaks against it." if not made.concerns else "It can start." if made.safe else "It cannot start."
    )
    return [printable(line) for line in lines]
