"""From what a person types to what a Slack client sends: names become mentions, and nothing else can be one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

AT_NAME: Final = re.compile(r"(?<![\w@])@([\w.-]+)")
ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def sent_text(typed: str, ids: Mapping[str, str]) -> str:
    """The text with `&`, `<` and `>` as entities, and with the names in `ids` as mentions."""
    text = "".join(ENTITIES.get(character, character) for character in typed)
    return AT_NAME.sub(lambda found: f"<@{ids[found[1]]}>" if found[1] in ids else found[0], text)
