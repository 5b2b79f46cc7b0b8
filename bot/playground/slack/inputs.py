"""What a client checks before it submits a modal. Pure; the sentences are what a person reads under the input.

Slack documents what is checked and not the words; the words here are invented.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bot.playground.slack.changes import Json

EMPTY: tuple[Any, ...] = (None, "", [])
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def input_errors(blocks: list[Json], values: Json) -> dict[str, str]:
    """By block_id, what is wrong with what was filled in; empty if the modal may be sent."""
    errors = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            wrong = _wrong(element, values[block["block_id"]][element["action_id"]], optional=block.get("optional"))
            if wrong:
                errors[str(block["block_id"])] = wrong
    return errors


def _wrong(element: Json, state: Json, *, optional: bool | None) -> str:
    held = next((value for name, value in state.items() if name != "type"), None)
    if held in EMPTY:
        return "" if optional else "Please complete this required field."
    checks = {
        "plain_text_input": _length,
        "number_input": _number,
        "email_text_input": _email,
        "url_text_input": _url,
    }
    check = checks.get(element["type"])
    return check(element, held) if check else ""


def _length(element: Json, held: Any) -> str:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(held) < least:
        return f"Please use at least {least} characters."
    return f"Please use at most {most} characters." if len(held) > most else ""


def _number(element: Json, held: Any) -> str:
    form = r"-?\d+(\.\d+)?" if element.get("is_decimal_allowed") else r"-?\d+"
    if not re.fullmatch(form, held):
        return "Please enter a number." if element.get("is_decimal_allowed") else "Please enter a whole number."
    least, most = element.get("min_value"), element.get("max_value")
    if least is not None and float(held) < float(least):
        return f"Please enter {least} or more."
    return f"Please enter {most} or less." if most is not None and float(held) > float(most) else ""


def _email(_element: Json, held: Any) -> str:
    return "" if EMAIL.fullmatch(held) else "Please enter an email address."


def _url(_element: Json, held: Any) -> str:
    parts = urlsplit(held)
    return "" if parts.scheme in {"http", "https"} and parts.hostname else "Please enter a URL."
