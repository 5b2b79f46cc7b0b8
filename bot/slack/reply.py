"""A reply in a job's thread as a Slack message. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.migration.request import JobId
from bot.slack.blocks import Composed, Layout, compose
from bot.slack.buttons import drawn
from bot.slack.plaintext import NOTHING, spoken
from bot.slack.port import Reply


def reply_message(job: JobId, reply: Reply) -> tuple[str, Composed]:
    """The text for notifications and screen readers, and the blocks."""
    return spoken(reply.text), compose(
        lambda layout: _body(layout, reply),
        ending=lambda layout: layout.actions(drawn(reply.buttons, about=f"Job {job}")),
        whole=f"All of it is in the file below, and in: coldmigrate jobs show {job} --format json.",
    )


def said_message(text: str, lines: Sequence[str]) -> tuple[str, Composed]:
    """The same of a few words that belong to no job."""

    def body(layout: Layout) -> None:
        layout.paragraph(text)
        layout.passage("", "", lines)

    return spoken(text), compose(body)


def _body(layout: Layout, reply: Reply) -> None:
    layout.paragraph(reply.text if reply.text.strip() else NOTHING)
    for section in reply.sections:
        layout.passage(section.heading, section.text, section.lines)
