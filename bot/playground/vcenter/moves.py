"""How a relocation looks to somebody who watches the whole world: where from, where to, how far, how fast.

Snapshots only, for pages and referees. The relocation itself lives in `relocation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Move:
    """One relocation at one moment. `state` is its task's: queued, running, success or error."""

    vm: str
    op_id: str
    task: str
    from_site: str
    from_host: str
    to_site: str
    to_host: str
    state: str
    percent: int
    bytes: int
    """What has crossed the wire so far."""
    size: int
    """What has to cross it; 0 until the copy begins."""
    bytes_per_second: float
    queued: datetime
    ended: datetime | None = None
    fault: str = ""
    """The type of the fault it ended with, such as NetworkCopyFault."""
    message: str = ""
    path: str = ""
    """What carries it, such as "NFC via vmk0" or "UDT via vmk1"."""
