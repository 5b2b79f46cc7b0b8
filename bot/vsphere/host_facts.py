"""Hosts as a diagnosis needs them: version, vmkernel interfaces and what they serve, and how wrong the clock is."""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pyVmomi import vim, vmodl

from bot.diagnosis.facts import HostFacts, Interface
from bot.vsphere.faults import translate
from bot.vsphere.port import HostGlance
from bot.vsphere.properties import Row, read_below, read_each
from bot.vsphere.session import Connected
from bot.vsphere.tree import shown
from bot.vsphere.vmkernel import INTERFACES, interfaces_of

_GLANCE: Final = ("name", "runtime.connectionState", "summary.config.product.version")
_DETAILS: Final = ("name", "summary.config.product.version", *INTERFACES)
_WHOLE_SECONDS: Final = timedelta(seconds=1)


def list_hosts(connected: Connected) -> list[HostGlance]:
    """Return every host, by name."""
    rows = read_below(connected, connected.content.rootFolder, {vim.HostSystem: _GLANCE})
    found = [
        HostGlance(shown(row["name"]), str(row["runtime.connectionState"] or ""), _version(row))
        for row in rows
        if row["name"]
    ]
    return sorted(found, key=lambda host: host.name)


def describe_hosts(connected: Connected, names: Iterable[str]) -> list[HostFacts]:
    """Return what is known of these hosts; one that this vCenter does not have is left out."""
    rows = read_each(connected, [_host(connected, name) for name in names], {vim.HostSystem: _DETAILS})
    return [HostFacts(name=shown(row["name"]), version=_version(row), interfaces=_interfaces(row)) for row in rows]


def clock_offset(connected: Connected, name: str) -> timedelta:
    """Return how far a host's clock is ahead of vCenter's; zero for what is less than can be measured.

    The host is asked between two looks at vCenter's clock. A host may answer in whole seconds.
    """
    (row,) = read_each(connected, [_host(connected, name)], {vim.HostSystem: ("configManager.dateTimeSystem",)})
    if (system := row["configManager.dateTimeSystem"]) is None:
        raise translate(vmodl.fault.NotSupported(msg=f"{name} has no clock that can be read"))
    before = _now(connected)
    told: datetime = system.QueryDateTime().astimezone(UTC)
    after = _now(connected)
    offset = told - (before + (after - before) / 2)
    doubt = (after - before) / 2 + (timedelta() if told.microsecond else _WHOLE_SECONDS)
    return offset if abs(offset) > doubt else timedelta()


def _now(connected: Connected) -> datetime:
    moment: datetime = vim.ServiceInstance("ServiceInstance", connected.wire).CurrentTime()
    return moment.astimezone(UTC)


def _host(connected: Connected, name: str) -> Any:
    rows = read_below(connected, connected.content.rootFolder, {vim.HostSystem: ("name",)})
    found = next((row.ref for row in rows if shown(row["name"]) == name), None)
    if found is None:
        raise translate(vmodl.fault.ManagedObjectNotFound(msg=f"This vCenter has no host named {name}"))
    return found


def _version(row: Row) -> str:
    return row["summary.config.product.version"] or ""


def _interfaces(row: Row) -> tuple[Interface, ...]:
    return tuple(
        Interface(device=vmk.device, address=vmk.address, netstack=vmk.netstack, services=vmk.services)
        for vmk in interfaces_of(row)
    )
