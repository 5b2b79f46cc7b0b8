"""One VM of the inventory as it is kept and shipped: plain text in a tuple, a JSON list in Redis. Pure.

A row may have been written by another version of the program. What a newer one adds comes after what we know, and is
passed over; a row that cannot be read at all is as good as none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bot.migration.request import VCenterName, VmRef
from bot.vsphere.port import InventoryVm


class Line(NamedTuple):
    """A row: `site` is the name of the datacenter; names inside `path` are escaped as vCenter does."""

    uuid: str
    name: str
    path: str
    host: str
    site: str
    power: str

    def vm(self, vcenter: VCenterName) -> InventoryVm:
        """Return it as everybody else knows it."""
        return InventoryVm(VmRef(vcenter, self.uuid, self.name), self.path, self.host, self.site, self.power)


@dataclass(frozen=True, slots=True)
class News:
    """What became of VMs, by vCenter's id of each; None for one that is gone. `whole`: there are no others."""

    rows: Mapping[str, Line | None]
    whole: bool = False


def line_of(vm: InventoryVm) -> Line:
    """Return the row of a VM."""
    return Line(vm.ref.uuid, vm.ref.name, vm.path, vm.host, vm.site_hint, vm.power)


def encoded(line: Line | None) -> str:
    """Write a row, nothing for one that is gone. The same row always gives the same text."""
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")) if line else ""


def decoded(text: str) -> Line | None:
    """Read a row; None for one that is gone, and for one that is none of ours."""
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    known = len(Line._fields)
    if not isinstance(found, list) or len(found) < known or not all(isinstance(part, str) for part in found[:known]):
        return None
    return Line(*found[:known])
