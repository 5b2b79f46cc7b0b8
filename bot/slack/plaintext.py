"""Text from outside, made harmless: nothing in it can ping, format, reorder or hide. Pure; knows no blocks.

Only what Slack parses (the top-level `text` of a message) is escaped. `plain_text` and `rich_text` are never parsed by
Slack, so entities would be shown there as they are and would spoil log lines; `clean` is all that they need.
"""

from __future__ import annotations

import unicodedata
from typing import Final

ELLIPSIS: Final = "…"
REPLACEMENT: Final = "\ufffd"
NOTHING: Final = "-"  # Slack refuses an empty text
SPOKEN: Final = 700  # five times as long when every character is escaped
_BLANKS: Final = frozenset("\t\n\r\v\f\x85\u2028\u2029")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs"})  # controls; bidirectional and zero-width marks; lone surrogates


def clean(text: str, *, lines: bool = False) -> str:
    """`text` with every control and invisible character shown as a mark; as long as it was, character by character.

    Line breaks become blanks, unless `lines` keeps them.
    """
    return "".join(_shown(character, lines=lines) for character in text)


def clip(text: str, limit: int) -> str:
    """At most `limit` characters; what was cut shows as an ellipsis. Nothing at all when there is no room for that."""
    if len(text) <= limit:
        return text
    return text[: limit - 1] + ELLIPSIS if limit > 0 else ""


def clean_clip(text: str, limit: int, *, lines: bool = False) -> str:
    """Both, without ever walking through more than was asked for: text from outside may be huge."""
    return clip(clean(text[: max(limit, 0) + 1], lines=lines), limit)


def escape(text: str) -> str:
    """For the one place that Slack parses: the three characters that start a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def spoken(text: str) -> str:
    """For a message's top-level `text`: one line, escaped, short enough for chat.update, which takes 4,000."""
    return escape(clean_clip(text, SPOKEN)).strip() or NOTHING


def _shown(character: str, *, lines: bool) -> str:
    if character.isascii() and character.isprintable():
        return character
    if character in _BLANKS:
        return "\n" if lines and character == "\n" else " "
    return REPLACEMENT if unicodedata.category(character) in _INVISIBLE else character
