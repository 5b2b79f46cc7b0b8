"""A Slack at its worst (number 7 of the list): 429 again and again, sockets that drop, every event three times.

The bot and the worker are real processes and nobody dies here (`test_slack_night` kills the bot). Each command is one
job, each thing is said once, a thread has its replies in the order in which they were given.
"""

from __future__ import annotations

import asyncio
import itertools
import tomllib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from time import monotonic
from typing import Final

from bot.operations.record import MIGRATE
from bot.playground.slack.sockets import DisconnectReason
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from bot.slack.outbox import RedisOutbox
from bot.slack.port import Reply
from tests.chaos.own_redis import BACK_WITHIN, OwnRedis, own_redis
from tests.chaos.ring import HungError
from tests.chaos.rows import Row
from tests.chaos.slack_night import Night, rude, slack_night
from tests.chaos.stage import Stage
from tests.worlds import TWO_SITES

NAME: Final = "slack"
CHANNELS: Final = ("#night-one", "#night-two", "#night-three")
STEPS: Final = 4
"""Replies that are given at once, and have to stand in this order."""

PATIENCE: Final = 200.0
_VM: Final = '[[vms]]\nname = "{name}"\nsite = "site1"\ndisks = ["1 GiB thin 100 MiB"]\n'


async def run(stage: Stage) -> list[Row]:
    every = stage.many(10, 1)
    folder = stage.new_folder()
    vms = [f"vm{n:02}" for n in range(stage.many(12, 3))]
    text = TWO_SITES + "".join(_VM.format(name=name) for name in vms)
    names = [channel.removeprefix("#") for channel in CHANNELS]
    with own_redis(folder / "valkey") as redis:
        async with (
            await play_world(World.model_validate(tomllib.loads(text)), folder / "world") as world,
            slack_night(folder, world["east"], redis.url, lambda _: None, names) as night,
            night.steady("worker", "--read-on", "0.2"),
            night.steady("bot"),
        ):
            await _within("an inventory", night.inventory())
            back = await _redis_goes_away(night, redis)
            night.slack.switches.deliver_each(3)
            drops: list[float] = []

            def enough() -> bool:
                return sum(night.slack.tally.throttled.values()) >= _refusals(stage) and len(drops) >= stage.many(12, 3)

            async with asyncio.TaskGroup() as group:
                storm = group.create_task(_storm(stage, night, every, drops))
                people = [
                    group.create_task(_person(night, vms[n :: len(CHANNELS)], channel, enough))
                    for n, channel in enumerate(CHANNELS)
                ]
                await _within("people who are never answered", _all(people))
                storm.cancel()
            await _within("news that is never posted", _all_said(night))
            jobs = await night.queue.recent(limit=1000)
            breaches = _breaches(night, [job.id for job in jobs if job.kind == MIGRATE])
            relocations = len(world["east"].relocations)
    if back > BACK_WITHIN:
        breaches.append(f"the bot answered {back:.1f} s after Redis was back, and {BACK_WITHIN:.0f} s are promised")
    did = {
        "429": sum(night.slack.tally.throttled.values()),
        "sockets dropped": len(drops),
        "deliveries of each": 3,
    }
    notes = {"longest without a socket s": max(drops, default=0.0), "bot back after Redis s": back}
    twice = max(relocations - len(night.jobs), 0)
    return [
        Row(
            name=NAME,
            did=did,
            jobs=len(night.jobs),
            relocations=relocations,
            twice=twice,
            notes=notes,
            breaches=breaches,
        )
    ]


def _refusals(stage: Stage) -> int:
    return stage.many(50, 5)


async def _redis_goes_away(night: Night, redis: OwnRedis) -> float:
    """Seconds after its return until a person is answered again."""
    redis.kill()
    await night.slack.person.command("alice", CHANNELS[0], "/coldmigrate list")
    redis.come_back()
    begun = monotonic()
    while monotonic() - begun < 4 * BACK_WITHIN:
        outcome = await night.slack.person.command("alice", CHANNELS[0], "/coldmigrate list")
        if outcome.error is None and "Redis" not in outcome.text:
            break
        await asyncio.sleep(0.1)
    return monotonic() - begun


async def _storm(stage: Stage, night: Night, every: int, drops: list[float]) -> None:
    """Refuse and drop, as long as it is not enough; how long nobody was connected is noted."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_refuse(stage, night))
        while True:
            await asyncio.sleep(every)
            begun = monotonic()
            if stage.dice.random() < 0.5:
                night.slack.switches.cut()
            else:
                await night.slack.switches.disconnect(DisconnectReason.REFRESH)
            await night.slack.person.wait_for(lambda: night.slack.switches.connections, timedelta(seconds=PATIENCE))
            drops.append(monotonic() - begun)


async def _refuse(stage: Stage, night: Night) -> None:
    """So often and no more: what is refused for ever is never said."""
    while sum(night.slack.tally.throttled.values()) < _refusals(stage):
        rude(night, stage.dice)
        await asyncio.sleep(stage.many(3, 1))


async def _person(night: Night, vms: Sequence[str], channel: str, enough: Callable[[], bool]) -> None:
    """One migration after the other, there and back; at the end of each several things are said at once."""
    outbox = RedisOutbox(night.store)
    where = night.slack.workspace.channel(channel).id
    for site in itertools.cycle(("site2", "site1")):
        for vm in vms:
            job = await night.migrate(vm, site, channel)
            for n in range(STEPS):
                await outbox.reply(job, where, Reply(f"step{n}", f"Step {n} of {vm}."))
            if enough():
                return


async def _all_said(night: Night) -> None:
    await night.slack.person.wait_for(lambda: not _missing(night), timedelta(seconds=PATIENCE))
    await night.outbox_is_empty()


def _missing(night: Night) -> list[tuple[str, str]]:
    said = night.said(CHANNELS)
    return [thing for thing in _wanted(night) if not said[thing]]


def _wanted(night: Night) -> list[tuple[str, str]]:
    things = ("card", "end", "evidence", "file", *(f"step{n}" for n in range(STEPS)))
    return [(job, thing) for job in night.jobs for thing in things]


def _breaches(night: Night, made: Sequence[str]) -> list[str]:
    said: Counter[tuple[str, str]] = night.said(CHANNELS)
    found = [
        f"{what} of job {job} was said {said[job, what]} times" for job, what in _wanted(night) if said[job, what] != 1
    ]
    if strangers := sorted(set(made) ^ set(night.jobs)):
        found.append(f"commands made jobs that nobody was told of: {', '.join(strangers)}")
    if repeated := [job for job, times in Counter(night.jobs).items() if times > 1]:
        found.append(f"two commands were told of one job: {', '.join(repeated)}")
    found += [f"a person was told {text!r}, and had asked once" for text in night.wrongly_told]
    found += _disorder(night)
    return found


def _disorder(night: Night) -> list[str]:
    """Threads whose steps stand in another order than they were given, or before the end."""
    wanted = ["end", *(f"step{n}" for n in range(STEPS))]
    threads: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for channel in CHANNELS:
        for message in night.messages(channel):
            about = (message.get("metadata") or {}).get("event_payload", {})
            if about.get("reply") in wanted:
                threads[about["job_id"]].append((float(message["ts"]), about["reply"]))
    orders = {job: [name for _, name in sorted(replies)] for job, replies in threads.items()}
    return [f"the thread of job {job} says {', '.join(order)}" for job, order in orders.items() if order != wanted]


async def _all(tasks: Sequence[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks)


async def _within(what: str, waiting: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await waiting
    except TimeoutError:
        raise HungError(f"after {PATIENCE:.0f} s still waiting for {what}") from None
