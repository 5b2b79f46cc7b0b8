"""Paths of files as vCenter writes them: `[datastore] directory/file`."""

from __future__ import annotations

import re

from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import Datacenter, Datastore, Inventory
from bot.playground.vcenter.wire import Data

_PATH = re.compile(r"\[(?P<store>[^\]]+)\]\s*(?P<path>.*)")


def locate(text: str, inventory: Inventory, datacenter: Datacenter | None = None) -> tuple[Datastore, str]:
    """Return the datastore and the path on it. Refuses with InvalidDatastorePath what names no place."""
    found = _PATH.fullmatch(text.strip())
    path = cleaned(found["path"]) if found else None
    if found is None or path is None:
        raise _invalid(text)
    for store in inventory.each(Datastore):
        if store.name == found["store"] and (datacenter is None or store.datacenter is datacenter):
            return store, path
    raise _invalid(text)


def cleaned(path: str) -> str | None:
    """Return a path without empty steps, None for one that climbs."""
    steps = [step for step in path.split("/") if step not in {"", "."}]
    return None if ".." in steps else "/".join(steps)


def _invalid(text: str) -> Fault:
    return Fault(Data("InvalidDatastorePath", datastorePath=text), f"Invalid datastore path '{text}'.")
