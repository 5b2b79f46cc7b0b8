"""Compare our cards in Slack with what Redis knows, after Redis lost its data or came back older.

What had not been started has no trace anywhere but on its card, which would say "queued" for ever. Done by one bot at a
time, and only when there is reason to: a mark in Redis is gone or older than this bot saw it, or a bot starts that may
have missed that. Nothing here posts a message, and a bot that dies over it does no harm: another one goes on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BugError, LoginError, OutsideError
from bot.slack.client import Fault, SlackError, calling
from bot.slack.lookup import OVER, PAGE, payload_of
from bot.slack.outbox import KEEP
from bot.slack.pointers import lost
from bot.slack.records import Kind
from bot.store.client import Store
from bot.store.scripts import load

ASK_EVERY: Final = timedelta(seconds=2)
"""How often the mark in Redis is looked at, and moved on."""

SETTLE: Final = timedelta(minutes=2)
"""How long workers have to take up again what runs. Whatever they take up later still gets its card back."""

FRESH: Final = timedelta(hours=1)
"""A bot that starts so soon after the last time leaves it at that, however often it crashes."""

LOOK_BACK: Final = timedelta(days=30)
MOST_PAGES: Final = 25
"""Of one channel, the newest first."""

GAP: Final = timedelta(seconds=2)
"""Between two questions: Slack takes 50 a minute of each kind, and others ask too."""

LEASE: Final = timedelta(minutes=1)
REST: Final = timedelta(seconds=30)
LONGEST: Final = timedelta(minutes=10)
"""How long it rests at most, which is also how long it rests when Slack does not let us in."""

_TYPES: Final = "public_channel,private_channel,mpim,im"
_CHANNELS: Final = 200
_TAKE: Final = load("bot.slack.scripts", "census_take")
_STEP: Final = load("bot.slack.scripts", "census_step")
_LOSE: Final = load("bot.slack.scripts", "lose", libraries=["outbox"])

log = logging.getLogger(__name__)


class Census:
    """One bot's share in it; any number of bots may run one. `gap` and `ask_every` are shorter in tests."""

    def __init__(
        self, store: Store, client: AsyncWebClient, *, gap: timedelta = GAP, ask_every: timedelta = ASK_EVERY
    ) -> None:
        self._store = store
        self._client = client
        self._gap = gap
        self._ask_every = ask_every
        self._token = secrets.token_hex(8)
        self._seen = 0
        self._asked_before = False
        self._bot_id = ""

    async def run(self) -> None:
        """For ever. An outage of Redis or Slack is outlived; where one bot stops, it or another one goes on."""
        while True:
            try:
                await self.ask()
            except OutsideError as error:
                log.warning("The cards in Slack are not compared with Redis for the moment: %s", error)
            except BugError:
                log.exception("Comparing the cards in Slack with Redis stumbled, and begins again.")
            await asyncio.sleep(self._ask_every.total_seconds())

    async def ask(self) -> None:
        """See whether it is time and our turn, and do it if so."""
        first = int(not self._asked_before)
        pulse, mine, upto = await _TAKE(self._store, self._token, self._seen, first, SETTLE, FRESH, LEASE, LONGEST)
        self._seen, self._asked_before = int(pulse), True
        if int(mine):
            await self._compare(str(upto))

    async def _compare(self, upto: str) -> None:
        """All channels after `upto`, in the order of their ids. Put off as a whole when Slack has enough of us."""
        try:
            for channel in sorted(await self._channels()):
                if channel > upto and not (await self._read(channel) and await self._step(upto=channel)):
                    return
        except OutsideError as error:
            rest = _rest(error)
            log.warning("Comparing the cards in Slack with Redis goes on in %.0f s: %s", rest.total_seconds(), error)
            await self._step(lease=rest)
            return
        await self._step(done=True)

    async def _step(self, *, lease: timedelta = LEASE, upto: str = "", done: bool = False) -> bool:
        """Go on. False: it is not ours any more."""
        return bool(await _STEP(self._store, self._token, lease, upto, int(done), repeatable=True))

    async def _channels(self) -> list[str]:
        """Where the bot is: what it posted elsewhere it could not edit either."""
        with calling("auth.test"):
            self._bot_id = str((await self._client.auth_test())["bot_id"])
        found: list[str] = []
        cursor = ""
        while True:
            with calling("users.conversations"):
                page = await self._client.users_conversations(
                    types=_TYPES, exclude_archived=True, limit=_CHANNELS, cursor=cursor
                )
            found += [str(channel["id"]) for channel in page.get("channels") or ()]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found
            await self._breathe()

    async def _read(self, channel: str) -> bool:
        """Every card of one channel. False: it is not ours to do any more."""
        told = 0
        try:
            async for page in self._pages(channel):
                for message in page:
                    told += await self._look_at(channel, message)
                if not await self._step():
                    return False
                await self._breathe()
        except SlackError as error:
            if error.fault is not Fault.PLACE and error.code != "missing_scope":  # groups:history, perhaps
                raise
            log.warning("Cards that Redis lost stay as they are in %s: %s", channel, error)
        if told:
            log.warning("%d cards in %s are of what Redis does not know any more, and say so now.", told, channel)
        return True

    async def _pages(self, channel: str) -> AsyncIterator[list[dict[str, Any]]]:
        oldest = self._seen / 1000 - LOOK_BACK.total_seconds()  # by Redis' clock: the mark is its time
        options: dict[str, Any] = {"limit": PAGE, "include_all_metadata": True, "oldest": f"{oldest:.6f}"}
        for _ in range(MOST_PAGES):
            with calling("conversations.history", about=channel):
                page = await self._client.conversations_history(channel=channel, **options)
            yield list(page.get("messages") or ())
            options["cursor"] = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not options["cursor"]:
                return
        log.warning("Of %s only the last %d messages were compared with Redis.", channel, MOST_PAGES * PAGE)

    async def _look_at(self, channel: str, message: Mapping[str, Any]) -> int:
        """Queue the edit of a card that shows no end, if its job is not known; how many that was."""
        about = payload_of(dict(message))
        job, what = about.get("job_id"), about.get("of", "")
        if message.get("bot_id") != self._bot_id or about.get("kind") != Kind.CARD or about.get(OVER):
            return 0
        if not isinstance(job, str) or not isinstance(what, str):
            return 0
        text, blocks = lost(what, message.get("blocks") or [])
        shown = json.dumps(blocks, ensure_ascii=False)
        return int(await _LOSE(self._store, job, channel, message["ts"], text, shown, what, KEEP, repeatable=True))

    async def _breathe(self) -> None:
        await asyncio.sleep(self._gap.total_seconds())


def _rest(error: OutsideError) -> timedelta:
    """How long Slack is left alone."""
    if isinstance(error, LoginError):
        return LONGEST
    return min(timedelta(seconds=error.retry_after), LONGEST) if error.retry_after else REST
