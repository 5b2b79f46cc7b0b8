"""What there is to say of the vCenters and sites that we are given, before anybody moves a VM. Nothing is changed.

Each check stands alone: one that fails is a finding and spoils no other, and each call has a time-out. The checks of a
vCenter are in `examination_vcenter`, of a site in `examination_site`, of our privileges in `examination_privileges`, of
the way between two sites in `examination_path`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import combinations
from typing import Final

from bot.errors import ColdmigrateError
from bot.finding import Finding, error, warning
from bot.migration.concerns.clock_offsets import WORTH_SAYING
from bot.vsphere import examination_path, examination_privileges, examination_site, examination_vcenter
from bot.vsphere.examination_look import WITHIN, Look, Patient, alone
from bot.vsphere.session import PAUSES, Reader

ALTOGETHER: Final = timedelta(minutes=5)
"""For one vCenter with its sites: a host that is silent costs 20 s, and there may be many of them."""


async def examine(
    patients: Sequence[Patient], *, only_site: str | None = None, within: timedelta = WITHIN
) -> list[Finding]:
    """Everything there is to say; all vCenters at once. Of sites, only of one if it is named.

    `within`: how long one reply may take.
    """
    looks = [Look(patient, Reader(patient.endpoint, pauses=PAUSES[:1]), within=within) for patient in patients]
    try:
        found = await asyncio.gather(*(_bounded(look, only_site) for look in looks))
        across = await asyncio.to_thread(lambda: [*_apart(looks), *_ways(looks)])
        return [*(finding for one in found for finding in one), *across]
    finally:
        await asyncio.gather(*(asyncio.to_thread(look.reader.close) for look in looks))


async def _bounded(look: Look, only_site: str | None) -> list[Finding]:
    found: list[Finding] = []
    running = asyncio.create_task(asyncio.to_thread(_examined, look, found, only_site))
    done, _ = await asyncio.wait({running}, timeout=ALTOGETHER.total_seconds())
    if done:
        running.result()
        return found
    about, minutes = f"vcenter.{look.name}.time", ALTOGETHER.total_seconds() / 60
    told = list(found)
    look.reader.close()  # which breaks what is under way
    with suppress(ColdmigrateError):
        await running
    do = "Look at the findings above: what comes after the last of them is slow or silent."
    return [*told, error(about, f"Not everything could be looked at within {minutes:.0f} minutes.", do=do)]


def _examined(look: Look, found: list[Finding], only_site: str | None) -> None:
    """Fill `found`, so that what was learnt is there even if time runs out."""
    found.extend(examination_vcenter.reached(look))
    if not examination_vcenter.let_in(found):
        return
    sites = [site for site in look.patient.sites if only_site in {None, site.name}]
    checks = [*examination_vcenter.checks(look), *examination_privileges.checks(look)]
    for site in sites:
        checks += [*examination_site.checks(look, site), *examination_privileges.site_checks(look, site)]
    for about, check in checks:
        found.extend(alone(about, check))
        if look.is_gone():
            do = "Nothing more of it was looked at. Look again once it answers."
            found.append(error(f"vcenter.{look.name}.reachable", "It does not answer any more.", do=do))
            return


def _apart(looks: Sequence[Look]) -> Iterator[Finding]:
    """Clocks of vCenters against each other: what both did is read side by side after a failure."""
    for one, other in combinations((look for look in looks if look.ahead is not None), 2):
        between = abs((one.ahead or timedelta()) - (other.ahead or timedelta()))
        if between > WORTH_SAYING:
            yield warning(
                f"vcenter.{one.name}.clock",
                f"The clocks of vCenters {one.name} and {other.name} are {between.total_seconds():.0f} s apart.",
                do="Let both keep the time by the same NTP servers.",
            )


def _ways(looks: Iterable[Look]) -> Iterator[Finding]:
    known = [(look, facts) for look in looks for facts in look.seen.values()]
    for one, other in combinations(known, 2):
        for source, target in ((one, other), (other, one)):
            about = f"path.{source[1].spec.name}.{target[1].spec.name}"
            yield from alone(about, partial(examination_path.way, about, source, target[1]))
