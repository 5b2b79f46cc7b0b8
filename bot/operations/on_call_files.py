"""The files of an answer: the failure drawn in time, and the whole report as a page."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.diagnosis.report.html import html_of
from bot.diagnosis.report.timeline import Timeline, timeline_of
from bot.diagnosis.verdict import Report
from bot.slack.charts import timeline_png

TIMELINE: Final = "timeline.png"
REPORT: Final = "report.html"
LARGEST: Final = 20_000_000
"""Bytes; more is not passed on to anybody."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file for a thread, as `Outbox.attach` takes it."""

    name: str
    data: bytes
    title: str
    alt_text: str


def files_of(report: Report, *, about: str, offsets: Mapping[str, timedelta]) -> tuple[Attachment, ...]:
    """Draw and write; takes a second or two, so call it on a thread. None of a report without incidents.

    A file only shows again what the thread says: one that cannot be made is left out, and that is logged.
    """
    made = tuple(_files(report, about, offsets)) if report.incidents else ()
    for file in made:
        if len(file.data) > LARGEST:
            log.warning("%s about %s is left out: it has %d bytes", file.name, about, len(file.data))
    return tuple(file for file in made if len(file.data) <= LARGEST)


def _files(report: Report, about: str, offsets: Mapping[str, timedelta]) -> Iterator[Attachment]:
    try:
        timeline = timeline_of(report, offsets=offsets)
        yield Attachment(TIMELINE, timeline_png(timeline), f"{about} in time", _spoken(timeline))
        page = html_of(report, title=about, offsets=offsets).encode()
        said = "All lines, checks and ways round, as a page to open in a browser."
        yield Attachment(REPORT, page, f"{about}: the full report", said)
    except (ValueError, ArithmeticError) as error:  # times beyond all dates, text that no page can hold
        log.warning("A file about %s is left out: %s", about, error)


def _spoken(timeline: Timeline) -> str:
    """The picture for whoever does not see it."""
    chief = timeline.chief
    decided = f" The line that decides: {chief.text}" if chief is not None else ""
    return f"{timeline.title}. {timeline.subtitle}. {' '.join(timeline.notes)}{decided}"
