"""Messages as plain text for a terminal or a transcript. Pure; what it returns can always be printed.

Whatever is in a message came from somewhere else: nothing of it may move the cursor, colour the screen or hide text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo

from bot.playground.slack.changes import Json
from bot.playground.slack.mrkdwn import NO_NAMES, Names, inline_plain, mrkdwn_plain, safe

WIDTH = 100
INDENT = "  "
PREFORMATTED = "    "


def render_thread(messages: Iterable[Json], *, names: Names = NO_NAMES, width: int = WIDTH, zone: tzinfo = UTC) -> str:
    """A thread: the first message, and the others set in under it."""
    first, *others = [render_message(message, names=names, width=width, zone=zone) for message in messages]
    return "\n".join([first, *(textwrap.indent(other, INDENT + "| ") for other in others)])


def render_message(message: Json, *, names: Names = NO_NAMES, width: int = WIDTH, zone: tzinfo = UTC) -> str:
    """One message with its author and time. Blocks are shown if there are any, as Slack does; else the text."""
    return "\n".join([_head(message, names, zone), *body_lines(message, names=names, width=width)])


def body_lines(message: Json, *, names: Names = NO_NAMES, width: int = WIDTH) -> list[str]:
    """What the message says, line by line, without its head."""
    blocks = message.get("blocks") or []
    if blocks:
        lines = [line for block in blocks for line in _block(block, names)]
    else:
        lines = mrkdwn_plain(str(message.get("text", "")), names).split("\n")
    lines += [f"[file: {safe(str(file.get('title') or file.get('name') or ''))}]" for file in message.get("files", ())]
    lines += _reactions(message)
    return [piece for line in lines for piece in _wrapped(INDENT + line, width)]


def _head(message: Json, names: Names, zone: tzinfo) -> str:
    at = datetime.fromtimestamp(float(message["ts"]), tz=UTC).astimezone(zone)
    author = names.get(message.get("user", ""), message.get("user", "somebody"))
    marks = " (only you can see this)" if message.get("is_ephemeral") else ""
    marks += " (edited)" if message.get("edited") else ""
    return f"{safe(author)} {at:%H:%M:%S}{marks}"


def _reactions(message: Json) -> list[str]:
    found = [f":{safe(reaction['name'])}: {reaction['count']}" for reaction in message.get("reactions", ())]
    return ["  ".join(found)] if found else []


def _wrapped(line: str, width: int) -> list[str]:
    """Long lines are folded; preformatted ones are not, because their columns mean something."""
    if len(line) <= width or line.startswith(INDENT + PREFORMATTED):
        return [line.rstrip()]
    return textwrap.wrap(line, width, subsequent_indent=INDENT, drop_whitespace=True) or [""]


def _block(block: Json, names: Names) -> list[str]:
    draw = DRAWINGS.get(block.get("type", ""))
    return draw(block, names) if draw else [f"({safe(str(block.get('type')))})"]


def _text(thing: Json | None, names: Names) -> str:
    """A text object, whichever of the two kinds it is."""
    if not thing:
        return ""
    said = str(thing.get("text", ""))
    return mrkdwn_plain(said, names) if thing.get("type") == "mrkdwn" else safe(said)


def _section(block: Json, names: Names) -> list[str]:
    lines = _text(block.get("text"), names).split("\n") if block.get("text") else []
    fields = [" ".join(_text(one, names).split("\n", 1)) for one in block.get("fields", ())]
    accessory = block.get("accessory")
    return lines + fields + ([_element(accessory)] if accessory else [])


def _header(block: Json, names: Names) -> list[str]:
    return [f"## {' '.join(_text(block['text'], names).split())}"]


def _context(block: Json, names: Names) -> list[str]:
    parts = [
        f"[{safe(str(part.get('alt_text', 'image')))}]" if part.get("type") == "image" else _text(part, names)
        for part in block["elements"]
    ]
    return "  ".join(parts).split("\n")


def _actions(block: Json, _names: Names) -> list[str]:
    return [" ".join(_element(element) for element in block["elements"])]


def _element(element: Json) -> str:
    """A button as [Approve], a menu as [Choose a site v]."""
    kind = str(element.get("type", ""))
    if kind == "button":
        return f"[{_label(element.get('text'))}]"
    if kind == "image":
        return f"[{safe(str(element.get('alt_text', 'image')))}]"
    return f"[{_label(element.get('placeholder')) or safe(kind)} v]"


def _label(thing: Json | None) -> str:
    return " ".join(safe(str((thing or {}).get("text", ""))).split())


def _input(block: Json, names: Names) -> list[str]:
    return [f"{_text(block['label'], names)}: {_element(block['element'])}"]


def _markdown(block: Json, _names: Names) -> list[str]:
    return safe(str(block.get("text", ""))).split("\n")


def _table(block: Json, names: Names) -> list[str]:
    """Columns padded to their widest cell."""
    rows = [[_cell(cell, names) for cell in row] for row in block["rows"]]
    columns = max(map(len, rows), default=0)
    widths = [max((len(row[i]) for row in rows if i < len(row)), default=0) for i in range(columns)]
    return [PREFORMATTED + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=False)) for row in rows]


def _cell(cell: Json, names: Names) -> str:
    if cell.get("type") == "rich_text":
        return " ".join(line.strip() for line in _rich_text(cell, names))
    return " ".join(safe(str(cell.get("text", cell.get("value", "")))).split())


def _rich_text(block: Json, names: Names) -> list[str]:
    return [line for part in block["elements"] for line in _rich_part(part, names)]


def _rich_part(part: Json, names: Names) -> list[str]:
    kind = part.get("type")
    if kind == "rich_text_list":
        ordered = part.get("style") == "ordered"
        items = [" ".join(_rich_part(item, names)) for item in part["elements"]]
        return [f"{f'{n}.' if ordered else '-'} {item}" for n, item in enumerate(items, 1 + part.get("offset", 0))]
    prefix = {"rich_text_preformatted": PREFORMATTED, "rich_text_quote": "> "}.get(str(kind), "")
    said = "".join(inline_plain(piece, names) for piece in part.get("elements", ()))
    return [prefix + line for line in said.removesuffix("\n").split("\n")]


def _task(block: Json, names: Names) -> list[str]:
    title = safe(str(block.get("title", "")))
    details = [line for name in ("details", "output") if block.get(name) for line in _rich_text(block[name], names)]
    return [f"({safe(str(block.get('status', 'pending')))}) {title}", *(INDENT + line for line in details)]


def _plan(block: Json, names: Names) -> list[str]:
    tasks = [line for task in block.get("tasks", ()) for line in _task(task, names)]
    return [safe(str(block.get("title", ""))), *tasks]


def _image(block: Json, names: Names) -> list[str]:
    return [f"[{_text(block.get('title'), names) or safe(str(block.get('alt_text', 'image')))}]"]


DRAWINGS: Mapping[str, Callable[[Json, Names], list[str]]] = {
    "section": _section,
    "header": _header,
    "divider": lambda _block, _names: ["-" * 40],
    "context": _context,
    "actions": _actions,
    "input": _input,
    "markdown": _markdown,
    "table": _table,
    "rich_text": _rich_text,
    "task_card": _task,
    "plan": _plan,
    "image": _image,
}
