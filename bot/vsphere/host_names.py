"""Hosts' ids by the names that people know them by, remembered: one read of all of them serves every later question."""

# mypy: allow-untyped-calls
from __future__ import annotations

from pyVmomi import vim, vmodl

from bot.vsphere.faults import translate
from bot.vsphere.properties import read_below
from bot.vsphere.session import Connected
from bot.vsphere.tree import shown


class HostNames:
    """For one vCenter, any thread. Ids outlive sessions; a host that was removed and added again has a new one."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def moid(self, connected: Connected, name: str) -> str:
        """Return a host's id. FaultError of kind ManagedObjectNotFound for one that this vCenter does not have."""
        if name not in self._known:
            rows = read_below(connected, connected.content.rootFolder, {vim.HostSystem: ("name",)})
            self._known = {shown(row["name"]): row.moid for row in rows if row["name"]}
        if name not in self._known:
            raise translate(vmodl.fault.ManagedObjectNotFound(msg=f"This vCenter has no host named {name}"))
        return self._known[name]

    def forget(self, name: str) -> None:
        """Ask anew the next time."""
        self._known.pop(name, None)
