"""Slack's markup as plain text, and text from outside made harmless. Pure.

Order matters: control characters are made visible first, references are resolved next, and only then are &lt; and
its kin turned back, so that escaped text can never become a reference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from bot.playground.slack.changes import Json

Names = Mapping[str, str]
NO_NAMES: Names = MappingProxyType({})

REFERENCE = re.compile(r"<([^<>\n]+)>")
CODE = re.compile(r"(```[\s\S]*?```|`[^`\n]+`)")
# A mark counts only where a word begins and ends, so that a*b*c and snake_case stay as they are.
MARK = re.compile(r"(?<![\w*_~])([*_~])(?=\S)(.{1,300}?)(?<=\S)\1(?![\w*_~])")
# Shown in place of the pictures that a terminal font may lack; other names stay as they are.
PICTURES = {
    "white_check_mark": "[ok]",
    "heavy_check_mark": "[ok]",
    "x": "[x]",
    "warning": "[!]",
    "rotating_light": "[!!]",
    "hourglass_flowing_sand": "[..]",
    "arrows_counterclockwise": "[..]",
}
PICTURE = re.compile(r":([a-z0-9_+-]+):")
# Format characters reorder or hide text: bidirectional overrides, zero-width joiners, tags.
LAST_OF_ONE_BYTE = 0xFF
HIDING = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def safe(text: str) -> str:
    """`text` with every character that does not simply print written out as its number; line feeds stay."""
    return "".join(_visible(character) for character in text.replace("\r\n", "\n").expandtabs(8))


def mrkdwn_plain(text: str, names: Names = NO_NAMES) -> str:
    """Marks removed, references replaced by what a reader would see. Code keeps what stands between its ticks."""
    pieces = CODE.split(safe(text))
    return "".join(
        _unescaped(piece.strip("`").strip("\n")) if index % 2 else _prose(piece, names)
        for index, piece in enumerate(pieces)
    )


def inline_plain(piece: Json, names: Names = NO_NAMES) -> str:
    """One element of a line of rich text. Its text is literal: nothing in it is markup."""
    kind = piece.get("type")
    if kind == "text":
        return safe(str(piece.get("text", "")))
    if kind == "link":
        return _link(str(piece.get("url", "")), str(piece.get("text", "")))
    if kind == "emoji":
        return _picture(safe(str(piece.get("name", ""))))
    if kind == "broadcast":
        return f"@{safe(str(piece.get('range', '')))}"
    if kind == "date":
        return safe(str(piece.get("fallback", piece.get("timestamp", ""))))
    sign = "#" if kind == "channel" else "@"
    ref = str(piece.get(f"{kind}_id", ""))
    return sign + safe(names.get(ref, ref))


def _prose(text: str, names: Names) -> str:
    shown = REFERENCE.sub(lambda found: _reference(found[1], names), text)
    for _ in range(3):  # marks nest at most once each
        shown = MARK.sub(r"\2", shown)
    shown = PICTURE.sub(lambda found: _picture(found[1]), shown)
    return _unescaped(shown)


def _reference(inside: str, names: Names) -> str:
    """What stands between angle brackets: a user, a channel, a group, a date or a link."""
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return "@" + safe(names.get(target[1:], label or target[1:]))
    if target.startswith("#"):
        return "#" + safe(names.get(target[1:], label or target[1:]))
    if target.startswith("!subteam^"):
        group = target.removeprefix("!subteam^")
        return "@" + safe(names.get(group, label.removeprefix("@") or group))
    if target.startswith("!"):
        return label or "@" + target[1:].partition("^")[0]
    return _link(target, label)


def _link(url: str, label: str) -> str:
    """Both are shown: a label alone could lie about where it leads."""
    return f"{safe(label)} ({safe(url)})" if label and label != url else safe(url)


def _picture(name: str) -> str:
    return PICTURES.get(name, f":{name}:")


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _visible(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in HIDING:
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number <= LAST_OF_ONE_BYTE else f"\\u{number:04x}"
