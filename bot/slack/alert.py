"""The message of an incident, or the digest of a day, as a Slack message. Pure: the same card, the same message."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from bot.slack.blocks import URL, ButtonSpec, Composed, Layout, compose
from bot.slack.buttons import PREFIX, drawn
from bot.slack.plaintext import clean_clip, spoken
from bot.slack.port import AlertCard

OPEN_PAGER: Final = f"{PREFIX}open-pager"
"""The action_id of the button that leads to whoever is paged: clicking it asks nothing of us."""

ROWS_SHOWN: Final = 10
"""Of a table: with more, nobody would see what is above and below it."""

_LABEL: Final = 60


def alert_message(card: AlertCard) -> tuple[str, Composed]:
    """The text for notifications and screen readers, and the blocks."""
    return _text(card), compose(
        lambda layout: _body(layout, card),
        ending=lambda layout: _ending(layout, card),
        whole="All of it, as it was then, is in a file in the thread.",
    )


def news_of(card: AlertCard) -> AlertCard:
    """What of it may not wait: how it stands and what is asked. Counts, times and hosts are progress."""
    return replace(card, title="", state="", facts=(), columns=(), rows=(), moments=())


def size_of(card: AlertCard) -> str:
    """Which of its files this would be: one for each power of ten of its rows, and one for its end."""
    grown = 10 ** (len(str(len(card.rows))) - 1) if card.rows else 0
    return f"{grown}-ended" if card.ended else str(grown)


def _text(card: AlertCard) -> str:
    verdict = f". {card.verdict}" if card.verdict else ""
    return spoken(f"{card.title}: {card.state}{verdict}")


def _body(layout: Layout, card: AlertCard) -> None:
    layout.header(card.title)
    layout.paragraph(f"{card.look.sign} {card.state[:1].upper()}{card.state[1:]}")
    for line in card.verdict.splitlines():  # apart, so that the eye finds what to do
        layout.paragraph(line)
    layout.moments(card.moments)
    layout.fields(list(card.facts))
    layout.table(card.columns, card.rows, at_most=ROWS_SHOWN)


def _ending(layout: Layout, card: AlertCard) -> None:
    layout.paragraph(card.note)
    if card.person is not None:
        layout.byline(*card.person)
    if card.buttons:  # a digest is no incident
        layout.small(f"Incident {card.subject}")
    layout.actions([*drawn(card.buttons, about=card.title), *_pager(card)])


def _pager(card: AlertCard) -> list[ButtonSpec]:
    """The way to whoever is paged; none if the address is not one that may be opened."""
    if card.pager is None or not is_safe(card.pager[1]):
        return []
    label, url = card.pager
    return [ButtonSpec(OPEN_PAGER, clean_clip(label, _LABEL), card.subject, url=url)]


def is_safe(url: str) -> bool:
    """An https address of some host, without blanks or credentials: what others answer is not opened blindly."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not set(url) & set(" <>\"'|\\")
    return plain and len(url) <= URL and parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
