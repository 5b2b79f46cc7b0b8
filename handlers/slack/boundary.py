"""The one place where an outcome becomes words for a person: answers as they are, errors by their class.

Everything said is plain text in blocks, so that a name that somebody typed cannot format or ping.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, Final

from bot.errors import (
    BugError,
    ColdmigrateError,
    MaybeSentError,
    OutsideError,
    RefusedError,
    UnconfirmedError,
    UnreachableError,
    UserError,
)
from bot.operations.port import Answer
from bot.slack.blocks import Layout, compose
from bot.slack.plaintext import spoken

log = logging.getLogger(__name__)

DEADLINE: Final = timedelta(seconds=2)
"""Slack shows an error of its own after three seconds, and what comes later is thrown away."""

_TOO_LATE: Final = (
    "Redis is slow or unavailable, or Slack did not say in time who may do what. I stopped asking. Nothing was queued, "
    "unless the answer alone was lost, or some of many were done: /coldmigrate list says so. Asking again is safe, a "
    "VM has at most one live job."
)


async def answered(call: Coroutine[Any, Any, Answer]) -> Answer:
    """The answer of `call`, or what a person should read instead, by the deadline. Only cancellation is raised.

    A call that takes longer is cancelled and not waited for: an ack that comes too late is shown to nobody.
    """
    work = asyncio.create_task(call)
    try:
        await asyncio.wait({work}, timeout=DEADLINE.total_seconds())
    finally:
        if not work.done():
            work.cancel()
            work.add_done_callback(_note_the_late)
    return _outcome(work) if work.done() else Answer(_TOO_LATE)


def _outcome(work: asyncio.Task[Answer]) -> Answer:
    try:
        return work.result()
    except Exception as error:  # noqa: BLE001 - the edge: whatever is left is a defect, and the person gets its number
        return in_words(error)


def in_words(error: Exception) -> Answer:
    """What a person reads instead of an answer."""
    return _in_words(error) if isinstance(error, ColdmigrateError) else _defect(error)


def _note_the_late(work: asyncio.Task[Answer]) -> None:
    if work.cancelled():
        log.warning("An operation took longer than %.0f s and was cancelled.", DEADLINE.total_seconds())
    elif error := work.exception():
        log.warning("An operation took longer than %.0f s, and then failed: %s", DEADLINE.total_seconds(), error)
    else:
        log.warning("An operation took longer than %.0f s, and then succeeded after all.", DEADLINE.total_seconds())


def as_message(answer: Answer) -> dict[str, Any]:
    """The arguments of `ack` or `respond` that show an answer: to the person alone unless it is public."""
    if not answer.text.strip() and not answer.lines and not answer.entries:
        return {}

    def body(layout: Layout) -> None:
        layout.paragraph(answer.text, people=answer.people)
        layout.linked([(entry.title, entry.text, entry.link, entry.person) for entry in answer.entries])
        layout.passage("", "", answer.lines)

    return {
        "text": spoken(answer.text),
        "blocks": compose(body),
        "response_type": "in_channel" if answer.public else "ephemeral",
    }


def _in_words(error: ColdmigrateError) -> Answer:
    match error:
        case UserError(example=example):
            return Answer(f"{error}\nFor example: {example}" if example else str(error))
        case RefusedError(lifted_by=lifted_by):
            return Answer(f"{error}\nWho can change that: {lifted_by}." if lifted_by else str(error))
        case OutsideError():
            log.warning("%s", error)
            return Answer(f"{error}\n{_outlook(error)}")
        case _:
            return _defect(error)


def _outlook(error: OutsideError) -> str:
    match error:
        case MaybeSentError():
            return "It may have been carried out all the same: look at /coldmigrate list before you repeat it."
        case UnconfirmedError():
            return "It may be lost again: ask once more in a moment. A VM has at most one live job."
        case UnreachableError():
            return "Nothing was queued and nothing was changed. Try again in a moment."
    again = f" Try again in {error.retry_after:.0f} s." if error.retry_after else " Try again in a moment."
    return "Nothing was queued." + (again if error.transient else "")


def _defect(error: Exception) -> Answer:
    reference = secrets.token_hex(4)
    kind = "a broken promise" if isinstance(error, BugError) else "an unforeseen error"
    log.error("Reference %s: %s", reference, kind, exc_info=error)
    return Answer(
        f"Something in coldmigrate itself is broken, and this was not done. Please report it with the reference "
        f"{reference}: the bot's log says more under it."
    )
