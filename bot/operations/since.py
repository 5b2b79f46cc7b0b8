"""Since when, by vCenter's own clock, a relocation may be ours: no earlier than the clock when the intent was written.

A clock may be set back, as after a snapshot or a move of the appliance. A call that came a moment after the intent is
then queued before it, and whoever looked only from there on would call it not started.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.operations.record import Intent
from bot.operations.tools import WorkerTools
from bot.vsphere.port import VCenter

UNEVEN: Final = timedelta(seconds=5)
"""By so much two clocks may differ because they are read one after the other, and drift."""


async def in_its_time(tools: WorkerTools, vcenter: VCenter, intent: Intent) -> Intent:
    """The intent with the earliest time at which its call may have been queued, as vCenter's clock now counts.

    Only ever earlier than it was, and the same where no clock was moved: a relocation of the day before is not ours.
    """
    passed = await tools.queue.now() - intent.at
    lag = intent.vcenter_time + passed - await vcenter.now()
    return intent if lag <= UNEVEN else replace(intent, vcenter_time=intent.vcenter_time - lag - UNEVEN)
