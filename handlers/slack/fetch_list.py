"""A list of VMs that somebody handed over: in a file of their message, in the lines below it, or in its thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.errors import UserError
from bot.operations.batch_file import LARGEST
from bot.slack.port import Errand, FileGlance, SlackFiles, Threads
from handlers.slack.material import as_pasted

_ENDINGS: Final = (".csv", ".tsv", ".txt", ".list")
_MOST_LOOKED_AT: Final = 10
_EXAMPLE: Final = (
    "a CSV with the columns vm, site, host, datastore, or a VM on each line below @coldmigrate migrate site2"
)


async def fetch_list(files: SlackFiles, threads: Threads, errand: Errand, below: str) -> tuple[str, bytes]:
    """What it is called and its bytes. UserError when there is none, more than one, or one that is too large."""
    pasted = as_pasted(below).strip()
    if errand.files and not pasted:
        return await _fetched(files, errand, errand.files)
    if pasted and not errand.files:
        return "pasted list", pasted.encode(errors="replace")
    if pasted:
        raise UserError(
            "There is a list in your message and a file as well. Which of them? Send one.", example=_EXAMPLE
        )
    if errand.thread:
        for one in reversed(await threads.read(errand.channel, errand.thread)):
            if one.files and not one.ours:
                return await _fetched(files, errand, one.files)
    raise UserError("There is no list of VMs, neither in your message nor in this thread.", example=_EXAMPLE)


async def _fetched(files: SlackFiles, errand: Errand, ids: Sequence[str]) -> tuple[str, bytes]:
    found = [await files.look(one, channel=errand.channel) for one in ids[:_MOST_LOOKED_AT]]
    lists = [file for file in found if file.name.casefold().endswith(_ENDINGS)]
    if len(lists) != 1:
        raise UserError(f"I need one list of VMs; {_in_words(found, len(lists))}.", example=_EXAMPLE)
    return lists[0].name, await files.fetch(lists[0], at_most=LARGEST)


def _in_words(found: Sequence[FileGlance], many: int) -> str:
    names = ", ".join(file.name for file in found)
    return f"these are {many}: {names}" if many else f"{names} is none by its name ({', '.join(_ENDINGS)})"
