"""What a message says, as one plain text: for the file that takes what a message cannot. Pure.

No control character gets into the file: it is opened in terminals as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any, Final

from bot.migration.plan import heaviest_first
from bot.slack.blocks import BlockDict
from bot.slack.plaintext import clean
from bot.slack.port import AlertCard, JobCard, Reply, TableCard

_ROWS: Final = frozenset({"header", "section", "context", "rich_text_section", "rich_text_preformatted"})
"""What stands on lines of its own when it is shown."""


def whole_reply(reply: Reply) -> str:
    """Everything that a reply says, nothing cut."""
    sections = (
        "\n".join(part for part in (section.heading, section.text, *section.lines) if part)
        for section in reply.sections
    )
    return _text([reply.text, *sections])


def whole_card(card: JobCard) -> str:
    """The plan on a card: its facts and concerns. Not how far it is: that is news in a minute."""
    facts = "\n".join(f"{label}: {value}" for label, value in card.facts)
    concerns = "\n".join(
        f"{concern.severity.value}: " + ("not readable: " if concern.unreadable else "") + concern.said
        for concern in heaviest_first(card.concerns)
    )
    return _text([card.title, facts, concerns])


def whole_table(card: TableCard) -> str:
    """All that a table says, in columns."""
    return _text([f"{card.title}: {card.state}", _facts(card.facts), _columns(card.columns, card.rows), card.note])


def whole_alert(card: AlertCard) -> str:
    """All that the message of an incident says, its hosts in columns."""
    moments = "\n".join(f"{label} {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" for label, at in card.moments)
    head = f"{card.title}: {card.state}"
    return _text(
        [head, card.verdict, moments, _facts(card.facts), _columns(card.columns, card.rows), card.note, card.subject]
    )


def _facts(pairs: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{label}: {value}" for label, value in pairs)


def _columns(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    table = [list(columns), *([" ".join(cell.split()) for cell in row] for row in rows)]
    widths = [max(len(row[n]) for row in table if n < len(row)) for n in range(max(map(len, table)))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in table)
    return "\n".join(lines)


def whole_message(text: str, blocks: Sequence[BlockDict]) -> str:
    """What blocks say that Slack did not take; without any, the text. Buttons are left out."""
    return _text(["\n".join(_rows(blocks)) or text])


def _text(parts: Iterable[str]) -> str:
    return clean("\n\n".join(part for part in parts if part.strip()), lines=True).strip() + "\n"


def _rows(node: Any) -> Iterable[str]:
    """The texts below `node`; those of one row on one line."""
    if isinstance(node, list):
        for one in node:
            yield from _rows(one)
    elif isinstance(node, dict) and node.get("type") != "actions":
        if node.get("type") in _ROWS:
            yield " ".join(_words(node))
        elif node.get("type") == "table":
            yield from (" | ".join(_words(row)) for row in node["rows"])
        else:
            yield from _rows(node.get("elements") or [])


def _words(node: Any) -> Iterable[str]:
    if isinstance(node, list):
        for one in node:
            yield from _words(one)
    elif isinstance(node, dict):
        text = node.get("text")
        if isinstance(text, str):
            yield text.strip() if node.get("type") == "text" else text
        for key in ("text", "fields", "elements"):
            if isinstance(node.get(key), dict | list):
                yield from _words(node[key])
