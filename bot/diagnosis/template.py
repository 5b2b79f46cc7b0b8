"""Fills `{name}` in sentences and commands. A name without a value stays visible as `<name>`.

`{one|other}` takes the first of several names that has a value.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Final

_PLACE = re.compile(r"\{([a-z_]+(?:\|[a-z_]+)*)\}")
_ALIVE_IN_DOUBLE_QUOTES = frozenset('"$`\\!\n')
_SPELLED_OUT: Final = {"vmk": "<vmk-of-the-copy>"}


class Words(str):
    """Words of a command that are ours, not a stranger's: they are put in as they are. May be none at all."""

    __slots__ = ()


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill a sentence."""
    return _filled(text, values, str)


def fill_quoted(command: str, values: Mapping[str, str]) -> str:
    """Fill a shell command: each value becomes a word, or part of one, that no shell takes apart."""
    return _filled(command, values, _word)


def _filled(text: str, values: Mapping[str, str], form: Callable[[str], str]) -> str:
    def value(place: re.Match[str]) -> str:
        names = place[1].split("|")
        return next((form(values[name]) for name in names if name in values), visible(names[-1]))

    return _PLACE.sub(value, text)


def _word(text: str) -> str:
    """Quote as `shlex.quote` does, but let a command inside a command stay readable where double quotes are as safe."""
    if isinstance(text, Words):
        return str(text)
    if "'" in text and not _ALIVE_IN_DOUBLE_QUOTES & set(text):
        return f'"{text}"'
    return shlex.quote(text)


def visible(name: str) -> str:
    """Return what a reader sees in place of something nobody knew."""
    return _SPELLED_OUT.get(name, f"<{name.replace('_', '-')}>")
