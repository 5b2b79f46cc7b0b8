"""How far apart two vCenters are that a VM goes between: their versions and their clocks."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.migration.survey import VCenters
from bot.vsphere.port import VCenter


async def apart(here: VCenter, there: VCenter) -> VCenters:
    """Ask both. A difference of their clocks that the way of the answers may account for is none. OutsideError."""
    mine, other = await asyncio.gather(here.identity(), there.identity())
    clock = asyncio.get_running_loop().time
    began = clock()
    first, second = await here.now(), await there.now()
    # Each was read half-way through its question, as far as anybody knows: so much lies between the two, and as much
    # either way is possible.
    unsure = timedelta(seconds=(clock() - began) / 2)
    ahead = second - first - unsure
    return VCenters(mine.version, other.version, ahead if abs(ahead) > unsure else timedelta(0))
