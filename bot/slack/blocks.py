"""Block Kit within its limits. What lives here: a layout that takes any text and always makes a message Slack accepts.

Nothing here is mrkdwn: outside text goes into `plain_text` or `rich_text`, which Slack never parses. What may not live
here: knowledge of jobs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
)

from bot.errors import BugError
from bot.slack.plaintext import NOTHING, clean_clip

CHARACTERS: Final = 12_000  # Slack refuses a message somewhere above 13,000, undocumented (bolt-js#2509)
_BUDGET: Final = CHARACTERS - 500  # marks that stand for what was cut may overdraw it a little
BLOCKS: Final = 50
HEADER: Final = 150
PARAGRAPH: Final = 3000
FIELD: Final = 2000
FIELDS: Final = 10
LINES: Final = 6000
ITEM: Final = 600
ITEMS: Final = 60
BUTTONS: Final = 25
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2000
ACTION_ID: Final = 255
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30

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
    """A button as drawn. `style` is `primary`, `danger` or None."""

    action_id: str
    label: str
    value: str
    style: str | None = None
    confirm: Confirm | None = None


class Layout:
    """Blocks in order, within a budget of characters and blocks. What does not fit is cut, and `trimmed` says so."""

    def __init__(self, *, characters: int = _BUDGET, blocks: int = BLOCKS) -> None:
        self.trimmed = False
        self.blocks: list[BlockDict] = []
        self._characters = characters
        self._room_for_blocks = blocks

    @property
    def characters_left(self) -> int:
        return self._characters

    def header(self, text: str) -> None:
        self._add(lambda: HeaderBlock(text=self._plain(text, HEADER)))

    def paragraph(self, text: str) -> None:
        """Plain text that may have line breaks; nothing when it is blank."""
        if text.strip():
            self._add(lambda: SectionBlock(text=self._plain(text, PARAGRAPH, lines=True)))

    def fields(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Label over value, two columns, as many sections as it takes."""
        for start in range(0, len(pairs), FIELDS):
            some = pairs[start : start + FIELDS]
            self._add(lambda some=some: SectionBlock(fields=[self._field(*pair) for pair in some]))  # type: ignore[misc]

    def bullets(self, items: Iterable[tuple[str, str]]) -> None:
        """A list of (bold lead, text)."""
        every = list(items)
        self.trimmed |= len(every) > ITEMS
        if every:
            self._add(lambda: RichTextBlock(elements=[self._list(every[:ITEMS])]))

    def passage(self, heading: str, text: str, lines: Sequence[str]) -> None:
        """A bold heading, text, and lines in fixed width, as one block; nothing when all three are empty."""
        if heading.strip() or text.strip() or lines:
            self._add(lambda: RichTextBlock(elements=self._passage(heading, text, lines)))

    def small(self, text: str) -> None:
        self._add(lambda: ContextBlock(elements=[self._plain(text, FIELD)]))

    def byline(self, text: str, user_id: str) -> None:
        """Small text that ends with a person; somebody who is no Slack user is only named."""
        if _USER_ID.fullmatch(user_id):
            line = [self._run(f"{text} "), RichTextElementParts.User(user_id=user_id)]
            self._add(lambda: RichTextBlock(elements=[RichTextSectionElement(elements=line)]))
        else:
            self.small(f"{text} {user_id}")

    def actions(self, buttons: Sequence[ButtonSpec]) -> None:
        self.trimmed |= len(buttons) > BUTTONS
        if buttons:
            self._add(lambda: ActionsBlock(elements=[self._button(button) for button in buttons[:BUTTONS]]))

    def _add(self, make: Callable[[], Block]) -> None:
        """No block at all is better than one that the budget cut down to nothing."""
        if self._room_for_blocks <= 0 or self._characters <= 0:
            self.trimmed = True
            return
        self.blocks.append(make().to_dict())
        self._room_for_blocks -= 1

    def _take(self, text: str, limit: int, *, lines: bool = False) -> str:
        limit = max(min(limit, self._characters), 1)
        taken = clean_clip(text, limit, lines=lines)
        self.trimmed |= len(text) > limit
        self._characters -= len(taken)
        return taken if taken.strip() else NOTHING

    def _plain(self, text: str, limit: int, *, lines: bool = False) -> PlainTextObject:
        # emoji off: a VM may be called :fire:
        return PlainTextObject(text=self._take(text, limit, lines=lines), emoji=False)

    def _field(self, label: str, value: str) -> PlainTextObject:
        return self._plain(f"{clean_clip(label, ITEM)}\n{clean_clip(value, FIELD)}", FIELD, lines=True)

    def _run(self, text: str, *, bold: bool = False) -> RichTextElementParts.Text:
        style = RichTextElementParts.TextStyle(bold=True) if bold else None
        return RichTextElementParts.Text(text=self._take(text, PARAGRAPH, lines=True), style=style)

    def _list(self, items: Sequence[tuple[str, str]]) -> RichTextListElement:
        rows = []
        for lead, text in items:
            if self._characters <= 0:
                self.trimmed = True
                break
            runs = [self._run(f"{lead} ", bold=True)] if lead else []
            self.trimmed |= len(text) > ITEM
            rows.append(RichTextSectionElement(elements=[*runs, self._run(clean_clip(text, ITEM))]))
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

    def _lines(self, lines: Sequence[str]) -> str:
        limit = min(LINES, self._characters)
        shown: list[str] = []
        for line in lines:
            one = clean_clip(line, max(limit, 0))
            if len(one) + 1 > limit:
                break
            shown.append(one)
            limit -= len(one) + 1
        if len(shown) < len(lines):
            self.trimmed = True
            shown.append(f"… and {len(lines) - len(shown)} more")
        return self._take("\n".join(shown), LINES + FIELD, lines=True)

    def _button(self, button: ButtonSpec) -> ButtonElement:
        # A cut id or value would act on something else: they are ours and short, and an error if not.
        return ButtonElement(
            text=self._plain(button.label, BUTTON_TEXT),
            action_id=_whole(button.action_id, ACTION_ID),
            value=_whole(button.value, BUTTON_VALUE),
            style=button.style,
            confirm=self._confirm(button.confirm) if button.confirm else None,
        )

    def _confirm(self, confirm: Confirm) -> ConfirmObject:
        return ConfirmObject(
            title=self._plain(confirm.title, CONFIRM_TITLE),
            text=self._plain(confirm.text, CONFIRM_TEXT),
            confirm=self._plain(confirm.yes, CONFIRM_BUTTON),
            deny=self._plain(confirm.no, CONFIRM_BUTTON),
        )


def compose(body: Callable[[Layout], None], *, ending: Callable[[Layout], None], notice: str) -> list[BlockDict]:
    """The blocks of `body`, then those of `ending`, which always finds room; `notice` between them if any was cut."""
    end = Layout(characters=_BUDGET // 3, blocks=BLOCKS // 5)
    ending(end)
    spare = Layout(characters=PARAGRAPH, blocks=1)
    spare.small(notice)
    used = _BUDGET // 3 - end.characters_left + PARAGRAPH - spare.characters_left
    start = Layout(characters=_BUDGET - used, blocks=BLOCKS - len(end.blocks) - 1)
    body(start)
    return start.blocks + (spare.blocks if start.trimmed or end.trimmed else []) + end.blocks


def _whole(text: str, limit: int) -> str:
    if len(text) > limit:
        raise BugError(f"A button of {len(text)} characters was drawn; Slack takes {limit}")
    return text
