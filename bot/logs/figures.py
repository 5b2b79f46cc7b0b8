"""How the watch of each host stands, as numbers for scrapes: no names but those of hosts and vCenters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from bot.health.lookout import Column, Table
from bot.hostlog.roll import Roll, SourceKind
from bot.logs.port import HostTally

_LABELS: Final = ("vcenter", "host", "source")
_COLUMNS: Final = (
    Column("watch_lines", "Lines of this host that were read.", counts=True),
    Column("watch_candidates", "Those of them that a failure may be told by, and their neighbours.", counts=True),
    Column("watch_gaps", "Times that lines of this host may have been missed.", counts=True),
    Column("watch_throttled", "Lines that came too fast and were not looked at.", counts=True),
    Column("watch_lag_seconds", "How much later than it was written the newest line was read."),
    Column("watch_up", "Whether this host's logs can be read."),
)


def hosts_table(tallies: Callable[[], Sequence[HostTally]]) -> Table:
    """A row for each host that this process has read or tries to."""
    return Table(_LABELS, _COLUMNS, lambda: map(_row, tallies()))


def _row(tally: HostTally) -> tuple[Sequence[str], Sequence[float | None]]:
    vcenter, _, host = tally.host.partition("/")
    lag = None if tally.behind is None else tally.behind.total_seconds()
    counts = (tally.lines, tally.candidates, tally.gaps, tally.throttled)
    return (vcenter, host, tally.kind.value), (*counts, lag, 0.0 if tally.trouble else 1.0)


def roll_table(roll: Callable[[], Roll]) -> Table:
    """How many hosts of each vCenter are to be read in which way; those of source `none` are read by nobody."""

    def rows() -> Iterator[tuple[Sequence[str], Sequence[float | None]]]:
        count = Counter((host.vcenter, host.kind) for host in roll().hosts.values())
        for vcenter in sorted({vcenter for vcenter, _ in count}):
            for kind in SourceKind:
                yield (vcenter, kind.value), (count[vcenter, kind],)

    return Table(("vcenter", "source"), (Column("watch_hosts", "Hosts that are to be read this way."),), rows)


def shards_table(held: Callable[[], Collection[int]]) -> Table:
    """How many of the fleet's shards are this process' own; over all watchers it is all of them."""
    return Table(
        (), (Column("watch_shards", "Shards of hosts that this process reads."),), lambda: [((), (len(held()),))]
    )
