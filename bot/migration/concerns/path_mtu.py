"""A path that carries less than its interfaces promise stops a copy at its first full packet."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, survey, unknown, warn
from bot.migration.measured import Pings
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn when full-size packets with don't-fragment do not pass although small ones do."""
    measured = choice.survey.measured if choice.survey else None
    if measured is None:
        return
    full, small = measured.full, measured.small
    if full is None and small is None:
        return  # nothing could be sent at all, which path-loss says
    if full is None:
        yield unknown("whether packets of full size pass; none could be sent")
    elif not full.received and (full.too_long or (small is not None and small.received)):
        widest = measured.passes_whole
        at_most = f"; the largest that pass are {widest} bytes" if widest else ""
        ends = f"from host {measured.source_host} to {measured.target_host}"
        yield warn(f"Packets of {full.size} bytes do not pass whole {ends} ({_count(full)}){at_most}.")


def _count(full: Pings) -> str:
    return "the host itself refused to send them" if full.too_long else f"{full.received} of {full.sent} came back"


GUARD = Guard(
    id="path-mtu",
    when="Packets of the interface's full size do not pass the predicted path whole.",
    weights=(Severity.WARN,),
    lifted_by="whoever keeps the link: one MTU along the whole path",
    check=check,
    rests_on=survey("measured"),
)
