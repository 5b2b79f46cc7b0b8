"""Hosts as a plan needs them: what they are in, offer, run and copy. From rows that were read with others.

How a diagnosis sees hosts is told in `host_facts`; both take interfaces from `vmkernel`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pyVmomi import vim

from bot.migration.facts import HostFacts
from bot.vsphere.history import LIVE
from bot.vsphere.properties import Row, moid, start, step
from bot.vsphere.session import Connected
from bot.vsphere.tree import shown
from bot.vsphere.vmkernel import INTERFACES, ROUTES, interfaces_of, routes_of

HOST: Final = (
    "name",
    "parent",
    "runtime.connectionState",
    "runtime.inMaintenanceMode",
    "runtime.inQuarantineMode",
    "runtime.cryptoState",
    "summary.config.product.version",
    "summary.currentEVCModeKey",
    "summary.maxEVCModeKey",
    "datastore",
    "network",
    "vm",
    *INTERFACES,
    *ROUTES,
)
TASK: Final = ("info.state", "info.descriptionId", "info.entity")

_COPYING: Final = frozenset({"VirtualMachine.relocate", "VirtualMachine.clone"})
"""What counts against the eight provisioning tasks of a host, by the descriptionId of the task."""
_CRYPTO_SAFE: Final = "safe"


def recent_tasks(connected: Connected) -> Any:
    """Begin at all tasks of the vCenter that are under way or just ended, to be read with `TASK`."""
    return start(connected.content.taskManager, step(vim.TaskManager, "recentTask"))


def copied_vms(rows: Iterable[Row]) -> list[str]:
    """Return the ids of VMs that are being copied, one for each task; `rows` may hold more than tasks."""
    tasks = [row for row in rows if isinstance(row.ref, vim.Task)]
    live = [row for row in tasks if str(row["info.state"]) in LIVE and row["info.descriptionId"] in _COPYING]
    return [moid(row["info.entity"]) for row in live if row["info.entity"] is not None]


def host_facts(
    row: Row,
    names: Mapping[str, str],
    *,
    pool: Any | None,
    copied: Iterable[str],
    running: frozenset[str] = frozenset(),
) -> HostFacts:
    """Make the facts of a host that was read with `HOST`.

    `names` has the names of datastores and networks by id; `copied` the VMs that are being copied, anywhere, and
    `running` those that are on. Copies that only arrive at the host are not seen: a task names its VM alone.
    """
    here = frozenset(moid(vm) for vm in row["vm"] or ())
    crypto = row["runtime.cryptoState"]
    return HostFacts(
        name=shown(row["name"]),
        moid=row.moid,
        connection=str(row["runtime.connectionState"] or ""),
        in_maintenance=bool(row["runtime.inMaintenanceMode"]),
        version=row["summary.config.product.version"] or "",
        pool_moid=moid(pool) if pool is not None else "",
        datastores=_names(row["datastore"], names),
        networks=_names(row["network"], names),
        running_vms=len(here & running),
        interfaces=interfaces_of(row),
        routes=routes_of(row),
        evc=row["summary.currentEVCModeKey"] or "",
        max_evc=row["summary.maxEVCModeKey"] or "",
        copies=None if "vm" in row.unread else sum(vm in here for vm in copied),
        quarantined=bool(row["runtime.inQuarantineMode"]),
        crypto_safe=None if crypto is None else str(crypto) == _CRYPTO_SAFE,
        unread=row.unread,
    )


def _names(references: Iterable[Any] | None, names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names[moid(one)] for one in references or () if moid(one) in names)
