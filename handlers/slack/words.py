r"""The words of a slash command: quotes, phones' typography and Slack's own formatting undone. Pure.

Not `shlex`: it takes an apostrophe inside a name for a quote, eats the backslash of `DOMAIN\vm`, and forgets which
words were quoted, which is how a VM named `list` is told from the verb.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.errors import UserError

_DOUBLE: Final = '"“”„‟«»＂'  # noqa: RUF001 - phones make these
_SINGLE: Final = "'‘’‚‛"  # noqa: RUF001
_DASHES: Final = "—–―‒−‐‑"  # noqa: RUF001
_ZERO_WIDTH: Final = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_QUOTES: Final = str.maketrans(dict.fromkeys(_DOUBLE, '"') | dict.fromkeys(_SINGLE, "'"))
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# Slack writes <@U1|name>, <#C1|name>, <https://x|x>, <mailto:a@b|a@b>; <!channel> is left as somebody typed it.
_FORMATTED: Final = re.compile(r"<(?P<sign>[@#!]?)(?P<target>[^<>|]+)(?:\|(?P<label>[^<>]*))?>")
_ENTITIES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


@dataclass(frozen=True, slots=True)
class Word:
    """One word; `quoted` if it began with a quote and so is a name, whatever it looks like."""

    text: str
    quoted: bool = False


def split(text: str) -> list[Word]:
    """The words of `text`. UserError for a quote that is never closed."""
    words: list[Word] = []
    rest = _typed(text)
    while rest := rest.lstrip():
        word, rest = _first(rest)
        words.append(word)
    return words


def _first(text: str) -> tuple[Word, str]:
    """The word that `text` begins with, and what follows it."""
    taken: list[str] = []
    at = 0
    while at < len(text) and not text[at].isspace():
        if text[at] == '"' or (text[at] == "'" and (at == 0 or text[at - 1] == "=")):
            end = text.find(text[at], at + 1)
            if end < 0:
                raise UserError(
                    f"A quote is opened before '{text[at + 1 : at + 31]}' and never closed.",
                    example='/coldmigrate "my vm" site2',
                )
            taken.append(text[at + 1 : end])
            at = end + 1
        else:
            taken.append(text[at])
            at += 1
    quoted = text[0] in "\"'"
    word = "".join(taken)
    return Word(word if quoted else _dashed(word), quoted), text[at:]


def _dashed(word: str) -> str:
    """`--host` from the em dash or the two odd dashes that a phone made of it."""
    bare = word.lstrip(f"-{_DASHES}")
    lead = word[: len(word) - len(bare)]
    if not bare or not lead or lead in ("-", "--"):
        return word
    return f"--{bare}" if any(dash in _DASHES for dash in lead) else word


def _typed(text: str) -> str:
    """What the person typed, before Slack formatted and the phone embellished it."""
    plain = _FORMATTED.sub(_unformatted, text.translate(_ZERO_WIDTH))
    for entity, character in _ENTITIES:
        plain = plain.replace(entity, character)
    return plain.translate(_QUOTES)


def _unformatted(found: re.Match[str]) -> str:
    sign, target, label = found["sign"], found["target"], found["label"]
    if label:
        return f"{sign}{label}" if sign in ("@", "#") and not label.startswith(sign) else label
    if sign or not _URL.match(target):
        return found[0]
    return target.removeprefix("mailto:")
