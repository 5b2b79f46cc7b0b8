"""Loss on the way is what ends copies after hours; a quick look before it starts is cheap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, survey, unknown, warn
from bot.migration.intervals import exceeds, in_words, percent
from bot.migration.plan import Severity

_LIFTED_BY: Final = "the right to ask hosts by esxcli (docs/privileges.md), or measuring it by hand"


def check(choice: Choice) -> Iterator[Finding]:
    """Warn when surely more is lost than the link may lose; note what may be within it. Counts with their interval."""
    measured = choice.survey.measured if choice.survey else None
    if measured is None:
        return
    pings = measured.small
    if pings is None or not pings.sent:
        yield unknown(" ".join(measured.unread) or "no echo requests could be sent along the path", _LIFTED_BY)
    elif pings.lost:
        seen = (
            f"Of packets from host {measured.source_host} to {measured.target_host} {in_words(pings.lost, pings.sent)}"
        )
        bound = choice.max_loss
        may = f"; {choice.link} may lose {percent(bound)}." if bound is not None else "."
        yield warn(seen + may) if exceeds(pings.lost, pings.sent, bound or 0.0) else note(seen + may)


GUARD = Guard(
    id="path-loss",
    when="Packets were lost on the predicted path, more than max_loss of the link; a note where that may be chance.",
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="whoever keeps the link; or starting it when the link is clean (--when-clean)",
    check=check,
    rests_on=survey("measured"),
)
