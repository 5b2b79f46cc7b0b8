"""Loads Lua scripts and runs them by their digest. Every script starts with the prelude: key names and the clock."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError

from bot.errors import OutsideError, UnconfirmedError
from bot.store import keys
from bot.store.client import Store
from bot.store.failure import FOREIGN, translate

Argument = str | int | float | timedelta


def milliseconds(span: timedelta) -> int:
    """How scripts count time."""
    return round(span.total_seconds() * 1000)


class Script:
    """One Lua script, which Redis runs as a whole or not at all."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(
        self,
        store: Store,
        *args: Argument,
        repeatable: bool = False,
        durable: bool = False,
        together: bool = False,
    ) -> Any:
        """Run it; a script gets durations in milliseconds.

        `repeatable`: asking twice does no harm, so a lost reply is asked for again. `durable`: the reply comes once
        as many replicas and disks have the change as the store was told to ask for, else `UnconfirmedError`.
        `together`: it may share a round trip with others; only for what is repeatable.
        """
        # One key is declared although scripts reach more: it tells a sharding server where all of `{cm}` lives.
        tail = (1, keys.SCHEMA, *map(_plain, args))
        if together and repeatable:
            share = store.together_durably if durable else store.together
            try:
                return await share("EVALSHA", self.sha, *tail)
            except UnconfirmedError:
                raise
            except (OutsideError, NoScriptError):
                pass  # then it is asked as if nobody had tried
        send = store.durable_command if durable else store.execute_command
        try:
            return await send("EVALSHA", self.sha, *tail, repeatable=repeatable)
        except NoScriptError:
            pass  # and leave this block: what fails from here on must not look as if it came of that
        return await send("EVAL", self.source, *tail, repeatable=repeatable)

    async def after_news(self, store: Store, *args: Argument, stream: str, after: str, block: timedelta) -> Any:
        """Run it as soon as the stream has an entry after this id, or after `block`; the answer is the script's.

        Both questions are asked at once, so nothing is lost between the news and what follows from it. Whoever gives
        up waiting cannot know whether the script has run.
        """
        wait = max(1, milliseconds(block))  # 0 would mean for ever
        pipeline = store.blocking.pipeline(transaction=False)
        if pipeline.reply_timeout is not None:
            pipeline.reply_timeout += block.total_seconds()
        pipeline.execute_command("XREAD", "COUNT", 1, "BLOCK", wait, "STREAMS", stream, after)
        pipeline.execute_command("EVALSHA", self.sha, 1, keys.SCHEMA, *map(_plain, args))
        _, answer = await pipeline.execute(raise_on_error=False)
        if isinstance(answer, NoScriptError):
            return await self(store, *args)
        if isinstance(answer, FOREIGN):
            raise translate(answer, store.where) from answer
        return answer


def _plain(argument: Argument) -> str | float:
    return milliseconds(argument) if isinstance(argument, timedelta) else argument


def load(package: str, name: str, *, libraries: Sequence[str] = (), constants: str = "") -> Script:
    """The script `<name>.lua` of a package; before it the prelude, `constants` and `libraries`."""
    prelude = files("bot.store").joinpath("prelude.lua").read_text(encoding="utf-8")
    parts = [files(package).joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in (*libraries, name)]
    return Script("\n".join([prelude, constants, *parts]))
