"""Loss on the way is what ends copies after hours; a quick look before it starts is cheap."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, survey, unknown, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn when more was lost than the link may lose; note less. Counts, for percentages of few packets mislead."""
    measured = choice.survey.measured if choice.survey else None
    if measured is None:
        return
    pings = measured.small
    if pings is None or not pings.sent:
        yield unknown("whether packets are lost on the way; no echo requests could be sent")
    elif pings.lost:
        text = (
            f"{pings.lost} of {pings.sent} packets were lost from host {measured.source_host} to"
            f" {measured.target_host} ({pings.lost / pings.sent:.1%})"
        )
        if choice.max_loss is not None and pings.lost / pings.sent <= choice.max_loss:
            yield note(f"{text}, which {choice.link} may lose.")
        else:
            bound = f"; {choice.link} may lose {choice.max_loss:.2%}" if choice.max_loss is not None else ""
            yield warn(f"{text}{bound}.")


GUARD = Guard(
    id="path-loss",
    when="Packets were lost on the predicted path, more than max_loss of the link; within it a note.",
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="whoever keeps the link; or starting it when the link is clean",
    check=check,
    rests_on=survey("measured"),
)
