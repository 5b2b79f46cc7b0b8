"""From the text after /diagnose, or after "@coldmigrate diagnose", to what was asked. Pure: nothing named is known."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.errors import UserError
from handlers.slack.words import Word, split

DIAGNOSE: Final = "/diagnose"
EXAMPLE: Final = f"{DIAGNOSE} web01 --since 2h"
LONGEST_AGO: Final = timedelta(days=31)
"""Further back no host keeps its logs."""

_SINCE: Final = "--since"
_NAME: Final = 255
_SPAN: Final = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m(?:in)?)?(?:(\d{1,6})s)?", re.IGNORECASE)
_USAGE: Final = (
    "What shall I look into? A VM, a host, a migration's job, a task such as task-123, or an opID. Without --since, "
    "whatever is recent counts. Logs need no command: use 'Diagnose this log' in a message's menu, or drop the file in "
    "a message to me."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """`name` is empty when none was given."""

    name: str = ""
    since: timedelta | None = None


def parse_command(text: str) -> Asked:
    """What stands after the command. UserError for anything that is not clear, and for nothing at all."""
    words = _words(text)
    if len(words) == 1 and words[0].text.casefold() == "help" and not words[0].quoted:
        raise UserError(_USAGE, example=EXAMPLE)
    asked = _asked(words)
    if not asked.name:
        raise UserError(_USAGE, example=EXAMPLE)
    return asked


def parse_mention(text: str) -> Asked:
    """The same in a thread, where a name may be missing: the thread itself is asked about then."""
    return _asked(_words(text))


def _words(text: str) -> list[Word]:
    try:
        return split(text)
    except UserError as error:
        raise UserError(str(error), example=f'{DIAGNOSE} "my vm"') from error


def _asked(words: list[Word]) -> Asked:
    names: list[str] = []
    since: timedelta | None = None
    rest = iter(words)
    for word in rest:
        if not word.text.startswith("-") or word.quoted:
            names.append(word.text)
            continue
        span = _since(word, rest)
        if since is not None:
            raise UserError(f"{_SINCE} was given twice. Once is enough.", example=EXAMPLE)
        since = span
    return Asked(_name(names), since)


def _since(word: Word, rest: Iterator[Word]) -> timedelta:
    """The value of the one option there is."""
    name, has_value, value = word.text.partition("=")
    if name.casefold() != _SINCE:
        near = difflib.get_close_matches(f"--{name.lstrip('-').casefold()}", [_SINCE], n=1)
        meant = f"Did you mean {_SINCE}?" if near else f"There is only {_SINCE}."
        raise UserError(f"There is no option {name[:40]}. {meant}", example=EXAMPLE)
    if not has_value:
        value = next(rest, Word("")).text
    if not value:
        raise UserError(f"{_SINCE} needs a time.", example=EXAMPLE)
    return _span(value)


def _span(value: str) -> timedelta:
    found = _SPAN.fullmatch(value)
    if found is None or not any(found.groups()):
        raise UserError(f"'{value[:40]}' is no time that {_SINCE} takes: 90m, 2h, 1d or 1h30m.", example=EXAMPLE)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(0) < span <= LONGEST_AGO:
        raise UserError(
            f"{_SINCE} takes more than nothing and at most {LONGEST_AGO.days}d: hosts keep no logs for longer.",
            example=EXAMPLE,
        )
    return span


def _name(names: list[str]) -> str:
    if len(names) > 1:
        raise UserError(
            f"One thing at a time, please; these are {len(names)} names. A name with blanks goes in quotes.",
            example=f'{DIAGNOSE} "{" ".join(names)[:80]}"',
        )
    if not names:
        return ""
    name = names[0].strip()
    if not name:
        raise UserError("A name in quotes is empty.", example=EXAMPLE)
    if len(name) > _NAME:
        raise UserError(f"This name has {len(name)} characters; nothing in a vCenter has more than {_NAME}.")
    return name
