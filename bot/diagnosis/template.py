"""Fills `{name}` in sentences and commands. A name without a value stays visible as `<name>`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

_PLACE = re.compile(r"\{([a-z_]+)\}")
_ALIVE_IN_DOUBLE_QUOTES = frozenset('"$`\\!\n')


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill a sentence."""
    return _PLACE.sub(lambda place: values.get(place[1], visible(place[1])), text)


def fill_quoted(command: str, values: Mapping[str, str]) -> str:
    """Fill a shell command: each value becomes a word, or part of one, that no shell takes apart."""
    return _PLACE.sub(lambda place: _word(values[place[1]]) if place[1] in values else visible(place[1]), command)


def _word(text: str) -> str:
    """Quote as `shlex.quote` does, but let a command inside a command stay readable where double quotes are as safe."""
    if "'" in text and not _ALIVE_IN_DOUBLE_QUOTES & set(text):
        return f'"{text}"'
    return shlex.quote(text)


def visible(name: str) -> str:
    """Return what a reader sees in place of something nobody knew."""
    return f"<{name.replace('_', '-')}>"
