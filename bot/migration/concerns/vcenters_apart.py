"""Two vCenters move a VM between them only if their releases, their clocks and their licences let them (KB 2106952)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, survey, unknown, warn
from bot.migration.eta import in_words
from bot.migration.plan import Severity
from bot.migration.survey import VCenters

TOO_FAR: Final = timedelta(seconds=2)
"""Beyond it logins from one to the other may be refused, and both logs tell no common story."""

OLDEST: Final = (6, 5)
"""Of those that move VMs between two domains of single sign-on."""

_RELEASE: Final = re.compile(r"(\d+)\.(\d+)")


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of releases that may not fit and of clocks that differ; note the licence."""
    here, there = choice.vm.ref.vcenter, choice.site.spec.vcenter
    if here == there:
        return
    if found := choice.survey.vcenters if choice.survey else None:
        yield from _releases(found, here, there)
        if abs(found.ahead) >= TOO_FAR:
            side = "ahead of" if found.ahead > timedelta(0) else "behind"
            yield warn(
                f"The clock of vCenter {there} is {in_words(abs(found.ahead))} {side} that of {here}.",
                "mending NTP there",
            )
    yield note(
        "vCenter moves VMs between two vCenters only with vSphere Enterprise Plus, or a licence that includes it.",
        "nothing to do if you have it",
    )


def _releases(found: VCenters, here: str, there: str) -> Iterator[Finding]:
    of, to = _RELEASE.match(found.here), _RELEASE.match(found.there)
    if of is None or to is None:
        yield unknown("which releases both vCenters are")
        return
    old, new = tuple(map(int, of.groups())), tuple(map(int, to.groups()))
    if min(old, new) < OLDEST or new < old or new[0] - old[0] > 1:
        yield warn(
            f"vCenter {here} is {found.here} and {there} is {found.there}: a move to an older release, over more than"
            " one, or with one before 6.5 may not be supported (KB 2106952).",
            "the table of KB 2106952, or a trial with a small VM",
        )


GUARD = Guard(
    id="vcenters-apart",
    when="The site is in another vCenter: releases that may not fit, clocks that differ by two seconds or more; a note"
    " on the licence.",
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="mending NTP there; for releases the table of KB 2106952",
    check=check,
    refined_by=survey("vcenters"),
)
