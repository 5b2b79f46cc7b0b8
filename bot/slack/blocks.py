"""Block Kit within its limits. What lives here: a layout that takes any text and always makes a message Slack accepts.

Nothing here is mrkdwn: outside text goes into `plain_text` or `rich_text`, which Slack never parses. What may not live
here: knowledge of jobs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    PlainTextObject,
    RichTextBlock,
    RichTextElementParts,
    RichTextListElement,
    RichTextPreformattedElement,
    RichTextSectionElement,
    SectionBlock,
    TableBlock,
)

from bot.errors import BugError
from bot.slack.plaintext import NOTHING, clean_clip

CHARACTERS: Final = 10_000  # Slack refuses a message from 11,000 to 13,200 on, undocumented (bolt-js#2509)
CHARGE: Final = 20  # what a text costs beside its characters: what contains it seems to count as well
_BUDGET: Final = CHARACTERS - 500  # marks that stand for what was cut may overdraw it a little
NOTICE: Final = 400
NARROW: Final = 160
"""Characters of a line or an item that are worth showing; when not all have room for so many, some are left out."""
BLOCKS: Final = 50
HEADER: Final = 150
PARAGRAPH: Final = 3000
FIELD: Final = 2000
FIELDS: Final = 10
LINES: Final = 6000
ITEM: Final = 600
ITEMS: Final = 60
ROWS: Final = 100  # the head is one of them
COLUMNS: Final = 20
CELL: Final = 120
SENTENCE: Final = 40
"""Characters from which on a cell has to be wrapped."""
BUTTONS: Final = 25
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2000
ACTION_ID: Final = 255
URL: Final = 3000
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30

_CHANNEL_ID: Final = re.compile(r"[CG][A-Z0-9]{1,30}")
_USER_ID: Final = re.compile(r"[UW][A-Z0-9]{1,30}")

BlockDict = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Confirm:
    """The question that is asked before a click counts."""

    title: str
    text: str
    yes: str
    no: str = "Not now"


@dataclass(frozen=True, slots=True)
class ButtonSpec:
    """A button as drawn. `style` is `primary`, `danger` or None. `url`: it opens that, beside being clicked."""

    action_id: str
    label: str
    value: str
    style: str | None = None
    confirm: Confirm | None = None
    url: str | None = None


class Layout:
    """Blocks in order, within a budget of characters and blocks. What does not fit is cut; `cut` says of what."""

    def __init__(self, *, characters: int = _BUDGET, blocks: int = BLOCKS) -> None:
        self.cut: list[str] = []
        self.blocks: list[BlockDict] = []
        self._characters = characters
        self._room_for_blocks = blocks
        self._shortened = False

    @property
    def characters_left(self) -> int:
        return self._characters

    def header(self, text: str) -> None:
        self._add("the title", lambda: HeaderBlock(text=self._plain(text, HEADER)))

    def paragraph(self, text: str, *, people: Collection[str] = ()) -> None:
        """Plain text that may have line breaks; nothing when it is blank. `people`: ids in it, shown by name."""
        named = [one for one in people if (_USER_ID.fullmatch(one) or _CHANNEL_ID.fullmatch(one)) and one in text]
        if text.strip() and named:
            self._add("the text", lambda: RichTextBlock(elements=[self._with_people(text, named)]))
        elif text.strip():
            self._add("the text", lambda: SectionBlock(text=self._plain(text, PARAGRAPH, lines=True)))

    def fields(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Label over value, two columns, as many sections as it takes."""
        for start in range(0, len(pairs), FIELDS):
            make = partial(self._fields, pairs[start : start + FIELDS])
            self._add("the facts", make)

    def bullets(self, items: Iterable[tuple[str, str]], *, heading: str = "", width: int = ITEM) -> None:
        """A list of (bold lead, text), below a heading if there is one; of each text so many characters."""
        every = list(items)

        def make() -> RichTextBlock:
            head = [RichTextSectionElement(elements=[self._run(heading, bold=True)])] if heading else []
            return RichTextBlock(elements=[*head, self._list(every, width)])

        if every:
            self._add("the list", make)

    def share(self, lengths: Sequence[int]) -> int:
        """How long each of these items may be, so that all find room; never less than is worth showing."""
        room = self._characters - len(lengths) * 2 * CHARGE
        return min(max(_width(lengths, room), NARROW), ITEM)

    def passage(self, heading: str, text: str, lines: Sequence[str]) -> None:
        """A bold heading, text, and lines in fixed width, as one block; nothing when all three are empty."""
        if heading.strip() or text.strip() or lines:
            self._add(heading or "the text", lambda: RichTextBlock(elements=self._passage(heading, text, lines)))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, at_most: int = ROWS - 1) -> None:
        """A table below its head; what has no room is counted below it. Slack takes one in a message."""
        if not columns or not rows:
            return
        left = len(rows)

        def make() -> TableBlock:
            nonlocal left
            shown = self._rows(columns, rows, at_most)
            left = len(rows) - (len(shown) - 1)
            return TableBlock(rows=shown, column_settings=_columns(shown))

        self._add("the table", make)
        if left and left < len(rows):
            self.small(f"… and {left} more")

    def small(self, text: str) -> None:
        self._add("the small print", lambda: ContextBlock(elements=[self._plain(text, FIELD)]))

    def byline(self, text: str, user_id: str) -> None:
        """Small text that ends with a person; somebody who is no Slack user is only named."""
        if _USER_ID.fullmatch(user_id):
            line = [self._run(f"{text} "), RichTextElementParts.User(user_id=user_id)]
            self._add("the requester", lambda: RichTextBlock(elements=[RichTextSectionElement(elements=line)]))
        else:
            self.small(f"{text} {user_id}")

    def moment(self, text: str, at: datetime) -> None:
        """A text that ends with a moment, which Slack shows everybody in their own zone and language."""
        self.moments([(text, at)])

    def moments(self, pairs: Sequence[tuple[str, datetime]]) -> None:
        """Several of them on one line."""

        def line() -> RichTextBlock:
            runs: list[Any] = []
            for text, at in pairs:
                runs += [self._run(f"{'  ·  ' if runs else ''}{text} "), self._date(at)]
            return RichTextBlock(elements=[RichTextSectionElement(elements=runs)])

        if pairs:
            self._add("the time", line)

    def linked(self, items: Sequence[tuple[str, str, str, str]]) -> None:
        """A list of (bold title, text, address, user id). The last two may be empty; an address must be ours."""

        def make() -> RichTextBlock:
            return RichTextBlock(elements=[RichTextListElement(style="bullet", elements=list(map(self._link, shown)))])

        shown = items[:ITEMS]
        if shown:
            self._add("the list", make)
        if len(items) > len(shown):
            self.small(f"… and {len(items) - len(shown)} more")

    def actions(self, buttons: Sequence[ButtonSpec]) -> None:
        if buttons:
            self._add("the buttons", lambda: ActionsBlock(elements=self._buttons(buttons)))

    def _add(self, what: str, make: Callable[[], Block]) -> None:
        """No block at all is better than one that the budget cut down to nothing."""
        self._shortened = self._room_for_blocks <= 0 or self._characters <= 0
        if not self._shortened:
            self.blocks.append(make().to_dict())
            self._room_for_blocks -= 1
        if self._shortened and what not in self.cut:
            self.cut.append(what)

    def _take(self, text: str, limit: int, *, lines: bool = False) -> str:
        limit = max(min(limit, self._characters), 1)
        taken = clean_clip(text, limit, lines=lines)
        self._shortened |= len(text) > limit
        self._characters -= len(taken) + CHARGE
        return taken if taken.strip() else NOTHING

    def _plain(self, text: str, limit: int, *, lines: bool = False) -> PlainTextObject:
        # emoji off: a VM may be called :fire:
        return PlainTextObject(text=self._take(text, limit, lines=lines), emoji=False)

    def _fields(self, pairs: Sequence[tuple[str, str]]) -> SectionBlock:
        return SectionBlock(fields=[self._field(*pair) for pair in pairs])

    def _field(self, label: str, value: str) -> PlainTextObject:
        return self._plain(f"{clean_clip(label, ITEM)}\n{clean_clip(value, FIELD)}", FIELD, lines=True)

    def _with_people(self, text: str, people: Sequence[str]) -> RichTextSectionElement:
        parts = re.split(rf"\b({'|'.join(people)})\b", clean_clip(text, PARAGRAPH, lines=True))
        runs = [_mention(part) if part in people else self._run(part) for part in parts if part]
        return RichTextSectionElement(elements=runs)

    def _run(self, text: str, *, bold: bool = False) -> RichTextElementParts.Text:
        style = RichTextElementParts.TextStyle(bold=True) if bold else None
        return RichTextElementParts.Text(text=self._take(text, PARAGRAPH, lines=True), style=style)

    def _date(self, at: datetime) -> RichTextElementParts.Date:
        return RichTextElementParts.Date(
            timestamp=int(at.timestamp()),
            format="{date_short_pretty}, {time}",
            fallback=self._take(f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC", FIELD),
        )

    def _link(self, item: tuple[str, str, str, str]) -> RichTextSectionElement:
        title, text, address, person = item
        known = bool(_USER_ID.fullmatch(person))
        said = f" {clean_clip(text, ITEM)} {'' if known else clean_clip(person, ITEM)}".rstrip() + " "
        runs: list[Any] = [self._run(clean_clip(title, ITEM), bold=True), self._run(said)]
        runs += [RichTextElementParts.User(user_id=person)] if known else []
        runs += [RichTextElementParts.Link(url=_whole(address, URL), text="Open it")] if address else []
        return RichTextSectionElement(elements=runs)

    def _list(self, items: Sequence[tuple[str, str]], width: int) -> RichTextListElement:
        rows: list[RichTextSectionElement] = []
        for lead, text in items:
            if self._characters <= 0 or len(rows) == ITEMS:
                self._shortened = True
                break
            runs = [self._run(f"{lead} ", bold=True)] if lead else []
            self._shortened |= len(text) > width
            rows.append(RichTextSectionElement(elements=[*runs, self._run(clean_clip(text, width))]))
        return RichTextListElement(style="bullet", elements=rows)

    def _passage(self, heading: str, text: str, lines: Sequence[str]) -> list[Any]:
        parts: list[Any] = []
        said = [self._run(clean_clip(heading, HEADER), bold=True)] if heading.strip() else []
        if text.strip():
            said.append(self._run(("\n" if said else "") + text))
        if said:
            parts.append(RichTextSectionElement(elements=said))
        if lines:
            shown = RichTextElementParts.Text(text=self._lines(lines))
            parts.append(RichTextPreformattedElement(elements=[shown]))
        return parts

    def _rows(self, columns: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> list[list[BlockDict]]:
        """The head, and as many rows as there is room for; always one."""
        head = list(columns)[:COLUMNS]
        self._shortened |= len(columns) > COLUMNS or len(rows) > most
        shown = [self._row(head, len(head))]
        for row in rows[:most]:
            if len(shown) > 1 and sum(min(len(cell), CELL) + CHARGE for cell in row) + NOTICE > self._characters:
                self._shortened = True
                break
            shown.append(self._row(row, len(head)))
        return shown

    def _row(self, cells: Sequence[str], width: int) -> list[BlockDict]:
        """Slack refuses rows of different lengths, and empty cells."""
        filled = [*cells[:width], *[""] * (width - len(cells))]
        self._shortened |= len(cells) > width or any(len(cell) > CELL for cell in filled)
        return [{"type": "raw_text", "text": self._take(cell, CELL)} for cell in filled]

    def _lines(self, lines: Sequence[str]) -> str:
        room = min(LINES, self._characters)
        many = min(len(lines), max(room // (NARROW + 1), 1)) if sum(map(len, lines)) + len(lines) > room else len(lines)
        width = _width([len(line) for line in lines[:many]], room - many)
        shown = [clean_clip(line, width) for line in lines[:many]]
        self._shortened |= many < len(lines) or any(len(line) > width for line in lines)
        if many < len(lines):
            shown.append(f"… and {len(lines) - many} more")
        return self._take("\n".join(shown), LINES + FIELD, lines=True)

    def _buttons(self, buttons: Sequence[ButtonSpec]) -> list[ButtonElement]:
        self._shortened |= len(buttons) > BUTTONS
        return [self._button(button) for button in buttons[:BUTTONS]]

    def _button(self, button: ButtonSpec) -> ButtonElement:
        # A cut id or value would act on something else: they are ours and short, and an error if not.
        return ButtonElement(
            text=self._plain(button.label, BUTTON_TEXT),
            action_id=_whole(button.action_id, ACTION_ID),
            value=_whole(button.value, BUTTON_VALUE),
            style=button.style,
            confirm=self._confirm(button.confirm) if button.confirm else None,
            url=_whole(button.url, URL) if button.url else None,
        )

    def _confirm(self, confirm: Confirm) -> ConfirmObject:
        return ConfirmObject(
            title=self._plain(confirm.title, CONFIRM_TITLE),
            text=self._plain(confirm.text, CONFIRM_TEXT),
            confirm=self._plain(confirm.yes, CONFIRM_BUTTON),
            deny=self._plain(confirm.no, CONFIRM_BUTTON),
        )


class Composed(list[BlockDict]):
    """The blocks of a message. `cut`: not all of it fitted."""

    cut: bool = False


def compose(
    body: Callable[[Layout], None], *, ending: Callable[[Layout], None] = lambda _: None, whole: str = ""
) -> Composed:
    """The blocks of `body`, then those of `ending`, which always finds room.

    Between them stands what was cut, if anything was, and `whole`: a sentence on where all of it can be read.
    """
    end = Layout(characters=_BUDGET // 3, blocks=BLOCKS // 5)
    ending(end)
    used = _BUDGET // 3 - end.characters_left + NOTICE + CHARGE
    start = Layout(characters=_BUDGET - used, blocks=BLOCKS - len(end.blocks) - 1)
    body(start)
    notice = Layout(characters=NOTICE + CHARGE, blocks=1)
    if cut := dict.fromkeys([*start.cut, *end.cut]):
        missing = clean_clip(", ".join(cut), NOTICE - len(whole) - 100)
        notice.small(f"Not whole here: {missing}. {whole}".strip())
    composed = Composed(start.blocks + notice.blocks + end.blocks)
    composed.cut = bool(cut)
    return composed


def _mention(name: str) -> RichTextElementParts.User | RichTextElementParts.Channel:
    """A person or a channel by their id; within blocks neither is pinged by a private answer."""
    if _USER_ID.fullmatch(name):
        return RichTextElementParts.User(user_id=name)
    return RichTextElementParts.Channel(channel_id=name)


def _width(lengths: Sequence[int], room: int) -> int:
    """How long each line may be, so that all fit: short ones leave to long ones what they do not need."""
    waiting = sorted(lengths)
    for number, length in enumerate(waiting):
        share = room // (len(waiting) - number)
        if length > share:
            return max(share, 1)
        room -= length
    return max(waiting, default=1)


def _columns(rows: Sequence[Sequence[BlockDict]]) -> list[BlockDict]:
    """Sentences are wrapped; names and figures are not torn apart for that."""
    return [{"is_wrapped": max(len(cell["text"]) for cell in column) > SENTENCE} for column in zip(*rows, strict=True)]


def _whole(text: str, limit: int) -> str:
    if len(text) > limit:
        raise BugError(f"A button of {len(text)} characters was drawn; Slack takes {limit}")
    return text
