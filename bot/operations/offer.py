"""Offer: what a form lets a person choose from. Nothing is looked up in a vCenter, and nothing is promised."""

from __future__ import annotations

from collections.abc import Sequence

from bot.operations.counter import Counter
from bot.operations.port import Person, VmChoice
from bot.operations.rights import Verb
from bot.vsphere.port import InventoryVm


async def target_sites(counter: Counter, who: Person) -> Sequence[str]:
    """The sites that this person may migrate to, by name. RefusedError when there is none."""
    await counter.rights.require(who, Verb.MIGRATE, None)
    may = await counter.rights.sites(who, Verb.MIGRATE)
    return [site for site in sorted(counter.sites) if may(site)]


async def vms_like(counter: Counter, who: Person, query: str, *, limit: int) -> Sequence[VmChoice]:
    """VMs to pick from while somebody types. RefusedError: the names of VMs are not for everybody."""
    await counter.rights.require(who, Verb.MIGRATE, None)
    found = await counter.inventory.find(query) if query.strip() else ()
    near = await counter.inventory.suggest(query, limit=limit)
    once = {row.ref.uuid: row for row in (*found, *near)}
    return [_choice(row) for row in once.values()][:limit]


def _choice(row: InventoryVm) -> VmChoice:
    where = [row.site_hint, row.path.rpartition("/")[0], row.host]
    return VmChoice(row.ref.uuid, row.ref.name, ", ".join(part for part in where if part))
