"""The real watcher as a process of a night: all that `coldmigrate watch` runs, with as short a lease as is wanted.

A forked role becomes it (`take_hold`). `unfenced` lets several judge at a time, none be refused, and none know again
what was counted: the control.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot import settings as config
from bot.compose_watch import watch_role
from bot.incidents import growth, kept
from bot.logs import turn
from bot.logs.turn import JUDGE
from bot.store.scripts import Script

_FENCES: Final = (
    (kept, "_COMMIT", f"redis.call('HGET', key('shard', '{JUDGE}'), 'epoch') ~= epoch", "false"),
    (turn, "_TURN", "lasts > now and held[1] ~= ARGV[2]", "false"),
    (turn, "_TURN", "held[2] ~= ARGV[4]", "false"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a watcher is told."""

    settings: str
    lease: float
    unfenced: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def take_hold(argument: str) -> None:
    """Watch until SIGTERM; never return."""
    told = Told(**json.loads(argument))
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {os.getpid()} %(name)s %(message)s")
    if told.unfenced:
        _take_fences_off()
    asyncio.run(_serve(told))
    os._exit(0)


def _take_fences_off() -> None:
    for module, name, fence, instead in _FENCES:
        source: str = getattr(module, name).source
        if fence not in source:
            raise AssertionError(f"the script {name} has no fence that could be taken off")
        setattr(module, name, Script(source.replace(fence, instead)))
    growth.known_as = lambda _failure, _incident: None


async def _serve(told: Told) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with watch_role(config.load(Path(told.settings)), lease=timedelta(seconds=told.lease)) as role:
        working = asyncio.ensure_future(role.run())
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if working.done():
            working.result()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
