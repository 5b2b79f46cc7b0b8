"""The way that a copy from one site to another is predicted to take, and whether a packet gets there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.finding import Finding, fine, warning
from bot.migration.facts import HostFacts, SiteFacts
from bot.migration.path import DataPath, predict_path
from bot.vsphere import probes
from bot.vsphere.examination_look import Look
from bot.vsphere.examination_site import names, usable
from bot.vsphere.port import FaultError

HOSTS: Final = 8
"""So many hosts of either site are compared with each other."""

PACKETS: Final = 3
_SIZE: Final = 84


def way(about: str, source: tuple[Look, SiteFacts], target: SiteFacts) -> Iterator[Finding]:
    """What is predicted for the hosts of these sites, and one ping along it."""
    look, leaving = source
    pairs = [(one, other) for one in usable(leaving)[:HOSTS] for other in usable(target)[:HOSTS]]
    if not pairs:
        return
    predicted = [(one, other, predict_path(one, other)) for one, other in pairs]
    unknown = {one.name for one, _, path in predicted if path is None}
    if unknown:
        yield warning(
            about, f"The interfaces of {names(unknown)} or of hosts there are not known.", do="See the privileges."
        )
        return
    yield from _told(about, [path for _, _, path in predicted if path is not None])
    first, path = predicted[0][0], predicted[0][2]
    if path is not None:
        yield _pinged(f"{about}.ping", look, first, path)


def _told(about: str, paths: list[DataPath]) -> Iterator[Finding]:
    kinds = sorted({path.words for path in paths})
    doubts = sorted({path.doubt for path in paths if path.doubt})
    if len(kinds) > 1:
        yield warning(about, f"By its hosts a copy goes by {' or '.join(kinds)}.", do="Wire all hosts of a site alike.")
    elif doubts:
        yield warning(about, f"{kinds[0]}: {paths[0].why}", do=doubts[0])
    else:
        yield fine(about, f"{kinds[0]}: {paths[0].why}")


def _pinged(about: str, look: Look, host: HostFacts, path: DataPath) -> Finding:
    leg = path.data
    where = f"from {leg.source.device} of {host.name} to {leg.target.address}"
    try:
        told = look.ask(
            lambda connected: probes.ping(
                look.esxcli, connected, host.name, leg, count=PACKETS, size=_SIZE, whole=False
            )
        )
    except FaultError as failure:
        return warning(about, str(failure), do="Migrations run without, but no path is measured.")
    if told.received < told.sent:
        do = "Echo requests may be filtered there. If not, look at routes, VLANs and firewalls of that way."
        return warning(about, f"{told.lost} of {told.sent} packets {where} were lost.", do=do)
    return fine(about, f"{told.sent} packets {where} came back.")
