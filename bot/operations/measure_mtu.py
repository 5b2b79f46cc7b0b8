"""How large a packet may be on a path that does not take full size: bisecting over the sizes that real paths have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from bot.migration.measured import Pings

USUAL: Final = (
    576, 1024, 1200, 1280, 1300, 1320, 1350, 1360, 1374, 1380, 1390, 1400, 1406, 1412, 1418, 1420, 1428, 1436, 1438,
    1440, 1446, 1450, 1454, 1460, 1472, 1476, 1480, 1492, 1500, 1550, 1600, 2304, 4352, 4470, 8000, 8500, 8900, 8950,
    9000,
)  # fmt: skip
"""What tunnels, VPNs, overlays and jumbo frames leave of a packet: PPPoE 1492, GRE 1476, VXLAN 1450, WireGuard 1420,
IPsec 1350 to 1438, IPv6's least 1280."""


async def whole_sizes(passes: Callable[[int], Awaitable[Pings | None]], *, below: int) -> tuple[Pings, ...]:
    """Try usual sizes below one that does not pass; every try, in the order made. Ends early where a look fails."""
    sizes = [size for size in USUAL if size < below]
    tried: list[Pings] = []
    low, high = 0, len(sizes)  # below `low` all pass, from `high` on none does
    while low < high:
        middle = (low + high) // 2
        pings = await passes(sizes[middle])
        if pings is None:
            break
        tried.append(pings)
        low, high = (middle + 1, high) if pings.received else (low, middle)
    return tuple(tried)
