"""The name of an entry as it is shown: on a terminal, in Slack, on a page. Nothing opens a file by it. Pure."""

from __future__ import annotations

from bot.diagnosis.printable import printable


def shown_name(name: str, most: int) -> str:
    """Return a name of at most about `most` characters that can neither steer nor hide anything."""
    shown = _shortened(printable(_shortened(name, most)), most)
    if not shown.isprintable():  # what log lines may have and names have no use for: tabs, odd blanks, unknown signs
        shown = _shortened("".join(sign if sign.isprintable() else f"\\u{{{ord(sign):x}}}" for sign in shown), most)
    return shown.removeprefix("./").lstrip("/")


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"
