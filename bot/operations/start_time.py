"""When a migration that somebody asks for may start: what they wrote after `--at`, made a moment."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from bot.errors import UserError
from bot.migration.calendar import Calendar, Open
from bot.migration.request import SiteName
from bot.migration.start_time import ClockTime, NextWindow, StartTime
from bot.operations.counter import Counter
from bot.vsphere.port import InventoryVm


async def start_moment(counter: Counter, at: StartTime | None, *, vm: InventoryVm, site: SiteName) -> datetime | None:
    """In UTC; None: as soon as there is room.

    UserError for what is past, too far ahead, or a window that never opens.
    """
    if at is None:
        return None
    now = await counter.queue.now()
    match at:
        case ClockTime():
            return at.moment(now, counter.calendar.zone)
        case NextWindow():
            opening = counter.calendar.opening((site_of_vm(counter, vm), site), now)
            if isinstance(opening, Open):
                return None
            if opening.until is None:
                raise UserError(f"{opening.why} Only a change of coldmigrate.toml ({', '.join(opening.keys)}) helps.")
            return opening.until
        case other:
            assert_never(other)


def not_before_in_words(calendar: Calendar, start: datetime | None) -> str:
    """A sentence to add to an answer; nothing when no start was asked for."""
    return f" It does not start before {calendar.in_words(start)}." if start is not None else ""


def site_of_vm(counter: Counter, vm: InventoryVm) -> SiteName | None:
    """The site that the VM is at, by its vCenter and datacenter, as the plan will see it."""
    here = (s.name for s in counter.sites.values() if (s.vcenter, s.datacenter) == (vm.ref.vcenter, vm.site_hint))
    return min(here, default=None)
