"""Rich text: sections, lists, quotes and preformatted blocks, and what may stand in a line of them."""

from __future__ import annotations

from bot.playground.slack.block_elements import IDENTIFIER, URL
from bot.playground.slack.schema import Check, anything, array, boolean, number, one_of, shape, tagged, text

MARKS = ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink")
STYLE = shape({}, dict.fromkeys(MARKS, boolean))
LONG = 12_000  # only the sum over the whole message is limited

# An empty text element is refused by Slack: a blank log line must be skipped or be a space.
INLINE: dict[str, Check] = {
    "text": shape({"text": text(at_most=LONG)}, {"style": STYLE}),
    "link": shape({"url": URL}, {"text": text(at_most=LONG), "style": STYLE, "unsafe": boolean}),
    "emoji": shape(
        {"name": IDENTIFIER}, {"unicode": text(at_most=64), "url": URL, "style": STYLE, "skin_tone": anything}
    ),
    "user": shape({"user_id": IDENTIFIER}, {"style": STYLE}),
    "usergroup": shape({"usergroup_id": IDENTIFIER}, {"style": STYLE}),
    "channel": shape({"channel_id": IDENTIFIER}, {"style": STYLE}),
    "broadcast": shape({"range": one_of("here", "channel", "everyone")}, {"style": STYLE}),
    "color": shape({"value": text(at_most=16)}, {"style": STYLE}),
    "date": shape(
        {"timestamp": number(at_least=0, at_most=9_999_999_999), "format": text(at_most=255)},
        {"url": URL, "fallback": text(at_most=255), "style": STYLE},
    ),
    "team": shape({"team_id": IDENTIFIER}, {"style": STYLE}),
}
PLAIN_INLINE = {name: INLINE[name] for name in ("text", "link")}
MANY = 1000


def _line(kinds: dict[str, Check]) -> Check:
    return array(tagged(kinds), at_most=MANY, at_least=0)


BORDER = {"border": number(at_least=0, at_most=1)}
SECTION = shape({"elements": _line(INLINE)})
PARTS: dict[str, Check] = {
    "rich_text_section": SECTION,
    "rich_text_list": shape(
        {
            "style": one_of("bullet", "ordered"),
            "elements": array(tagged({"rich_text_section": SECTION}), at_most=MANY, at_least=0),
        },
        BORDER | {"indent": number(at_least=0, at_most=8), "offset": number(at_least=0, at_most=MANY)},
    ),
    "rich_text_quote": shape({"elements": _line(INLINE)}, BORDER),
    "rich_text_preformatted": shape({"elements": _line(PLAIN_INLINE)}, BORDER | {"language": text(at_most=64)}),
}
RICH_TEXT = shape({"elements": array(tagged(PARTS), at_most=MANY)}, {"block_id": IDENTIFIER})
