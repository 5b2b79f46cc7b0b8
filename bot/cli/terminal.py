"""The demo's terminal: a person types commands and clicks buttons by name, and sees the channel move."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, Final

from bot.errors import ColdmigrateError
from bot.playground.slack.control import SlackControl
from bot.playground.slack.render import render_message

CHANNEL: Final = "#migrations"
HELP: Final = """\
You are alice in #migrations. Type what you would type in Slack:
  /coldmigrate web01 site2      a migration that succeeds
  /coldmigrate db01 site2       one whose link begins to drop packets at 63 %
  /coldmigrate help             what alice may do
and, for the buttons of the newest card:
  approve, cancel, retry        click it
  release, other-host, cancel-waiting   on the card of a link that is held
  as bob                        be somebody else (mallory may do nothing)
  quit                          or Ctrl-C
"""
BUTTONS: Final = ("approve", "cancel", "retry", "release", "other-host", "cancel-waiting")


class Terminal:
    """One person at a time, in one channel."""

    def __init__(self, slack: SlackControl, say: Callable[[str], None]) -> None:
        self._slack = slack
        self._say = say
        self._user = "alice"
        self._shown: dict[str, list[str]] = {}
        self._names: dict[str, str] = {}

    async def run(self) -> None:
        """Until `quit` or the end of input."""
        self._say(HELP)
        self._names = await self._slack.names()
        watcher = asyncio.create_task(self._watch())
        try:
            async for line in _lines():
                if line in ("quit", "exit"):
                    return
                try:
                    await self._do(line)
                except ColdmigrateError as error:
                    self._say(f"  ({error})")
        finally:
            watcher.cancel()

    async def _do(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if line.startswith("/"):
            outcome = await self._slack.command(self._user, CHANNEL, line)
            self._say(f"  only {self._user} reads: {outcome.text or outcome.error or ''}")
        elif word in BUTTONS:
            await self._click(f"cm.{word}")
        elif word == "as" and rest:
            self._user = rest.strip()
            self._say(f"  you are {self._user} now")
        elif line:
            self._say(HELP)

    async def _click(self, action: str) -> None:
        for message in reversed(await self._slack.history(CHANNEL)):
            elements = [e for block in message.get("blocks", ()) for e in block.get("elements", ())]
            if any(isinstance(e, dict) and e.get("action_id") == action for e in elements):
                before = len(await self._slack.ephemerals(self._user))
                await self._slack.click(self._user, CHANNEL, message["ts"], action)
                for told in (await self._slack.ephemerals(self._user))[before:]:
                    self._say(render_message(told, names=self._names))
                return
        self._say("  (no card has such a button now)")

    async def _watch(self) -> None:
        """Print what is new: whole messages once, and of an edited card the lines that changed."""
        seen = 0
        while True:
            seen, _ = await self._slack.wait_for_change(seen)
            for root in await self._slack.history(CHANNEL):
                for message in await self._slack.thread(CHANNEL, root["ts"]):
                    self._show(message)

    def _show(self, message: dict[str, Any]) -> None:
        lines = render_message(message, names=self._names).splitlines()
        before = self._shown.get(message["ts"])
        self._shown[message["ts"]] = lines
        if before is None:
            self._say("\n".join(["", *lines]))
        elif fresh := [line for line in lines[1:] if line not in before]:
            self._say("\n".join(fresh))


async def _lines() -> Any:
    """Lines of standard input, without blocking the loop; ends with it."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode(errors="replace").strip()
