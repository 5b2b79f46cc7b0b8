"""vCenter's events: what happened to a VM or a host, or along the chain of one task, with time and places."""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pyVmomi import vim, vmodl

from bot.vsphere.faults import text_of
from bot.vsphere.inventory import find_by_uuid
from bot.vsphere.port import EventWeight, VCenterEvent
from bot.vsphere.properties import read_below
from bot.vsphere.session import Connected
from bot.vsphere.traces import ATTRIBUTE
from bot.vsphere.tree import shown

MOST: Final = 1000
"""vCenter hands out no more at once, the newest of them."""

_GRAVE: Final = (
    "Fail",
    "Lost",
    "Disconnected",
    "NotResponding",
    "Error",
    "Full",
    "OutOfSpace",
    "Apd",
    "apd",
    "problem",
)
_WEIGHTS: Final = {"error": EventWeight.ERROR, "warning": EventWeight.WARNING}


def events_of_vm(connected: Connected, uuid: str, *, since: datetime, until: datetime | None) -> list[VCenterEvent]:
    """Return what happened to the VM itself, oldest first; nothing for one that this vCenter does not have."""
    vm = find_by_uuid(connected, uuid)
    return _query(connected, vm, since, until) if vm is not None else []


def events_of_hosts(
    connected: Connected, names: Iterable[str], *, since: datetime, until: datetime | None
) -> list[VCenterEvent]:
    """Return what happened to these hosts themselves, oldest first; not to the VMs on them."""
    wanted = set(names)
    rows = read_below(connected, connected.content.rootFolder, {vim.HostSystem: ("name",)}) if wanted else []
    found = [
        event for row in rows if shown(row["name"]) in wanted for event in _query(connected, row.ref, since, until)
    ]
    return sorted(found, key=lambda event: (event.at, event.key))


def events_of_chain(connected: Connected, chain: int) -> list[VCenterEvent]:
    """Return the events of one task, oldest first."""
    return _told(connected.content.eventManager.QueryEvents(vim.event.EventFilterSpec(eventChainId=chain)))


def _query(connected: Connected, entity: Any, since: datetime, until: datetime | None) -> list[VCenterEvent]:
    spec = vim.event.EventFilterSpec(
        entity=vim.event.EventFilterSpec.ByEntity(entity=entity, recursion="self"),
        time=vim.event.EventFilterSpec.ByTime(beginTime=since, endTime=until),
        maxCount=MOST,
    )
    return _told(connected.content.eventManager.QueryEvents(spec))


def _told(events: Sequence[Any] | None) -> list[VCenterEvent]:
    told = (_event(event) for event in events or () if not _is_our_bookkeeping(event))
    return sorted(told, key=lambda event: (event.at, event.key))


def _is_our_bookkeeping(event: Any) -> bool:
    """Traces come and go with every migration, and explain none."""
    return isinstance(event, vim.event.CustomFieldEvent) and getattr(event, "name", None) == ATTRIBUTE


def _event(event: Any) -> VCenterEvent:
    kind = getattr(event, "eventTypeId", None) or type(event).__name__.rpartition(".")[2]
    fault = getattr(event, "reason", None) or getattr(event, "fault", None)
    reason = text_of(fault) if isinstance(fault, vmodl.MethodFault) else ""
    text = (event.fullFormattedMessage or kind).strip()
    return VCenterEvent(
        key=int(event.key),
        at=event.createdTime.astimezone(UTC),
        kind=kind,
        weight=_weight(event, kind),
        text=f"{text}: {reason}" if reason and reason not in text else text,
        chain=int(event.chainId or 0),
        vm=_name(event, "vm"),
        host=_name(event, "host"),
        datastore=_name(event, "ds"),
        from_host=_name(event, "sourceHost"),
        to_host=_name(event, "destHost"),
        to_datastore=_name(event, "destDatastore"),
    )


def _weight(event: Any, kind: str) -> EventWeight:
    said = _WEIGHTS.get(str(getattr(event, "severity", None) or ""))
    return said or (EventWeight.ERROR if any(word in kind for word in _GRAVE) else EventWeight.INFO)


def _name(event: Any, field: str) -> str:
    argument = getattr(event, field, None)
    return shown(argument.name) if argument is not None else ""
