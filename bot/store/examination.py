"""What is dangerous in the Redis that we are given: read here, judged here, changed never.

Managed Redis forbids CONFIG, so what INFO tells too is taken from there, and what could not be read is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.errors import ColdmigrateError
from bot.finding import Finding, Verdict, error, fine, warning
from bot.store import keys
from bot.store.client import Store
from bot.store.durability import Durability
from bot.store.schema import STEPS, VERSION

OLDEST: Final = (6, 2)
"""The first Redis that knows every command of ours."""

OLDEST_FOR_DISKS: Final = (7, 2)
"""The first with WAITAOF. A Valkey counts as the Redis that it says it is compatible with."""

_NEARLY_FULL: Final = 0.8
_FULL: Final = 0.95
_APART: Final = timedelta(seconds=2)
_UNREADABLE: Final = "Redis does not let us read its CONFIG"
_NO_NEWS: Final = frozenset({"redis.replicas"})
"""Whoever chose a single node knows, and is not told again at every start."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What Redis says of itself. `config` is None when it may not be read."""

    info: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, str] | None = None
    schema: str | None = None
    skew: str | None = None
    durability: Durability = field(default_factory=Durability)
    sentinel: bool = False
    ahead: timedelta = timedelta()
    """How far its clock is ahead of ours, as far as it can be told."""


async def examine(store: Store) -> list[Finding]:
    """Everything there is to say. A Redis that does not answer is the only finding then."""
    try:
        facts = await _read(store)
    except ColdmigrateError as failure:
        return [error("redis.reachable", str(failure), do="Nothing else of Redis could be looked at.")]
    return [fine("redis.reachable", f"Redis at {store.where} answers."), *judge(facts)]


async def dangers(store: Store) -> list[Finding]:
    """What deserves a line in the log of a role that starts; nothing if Redis does not answer."""
    found = await examine(store)
    return [
        one
        for one in found
        if one.verdict is not Verdict.OK and one.about not in _NO_NEWS and _UNREADABLE not in one.says
    ]


def judge(facts: Facts) -> list[Finding]:
    """One finding of each check, in a fixed order."""
    return [check(facts) for check in CHECKS]


async def _read(store: Store) -> Facts:
    info = await store.execute_command("INFO", repeatable=True)
    return Facts(
        info=info,
        config=await _configuration(store),
        schema=await store.text(keys.SCHEMA),
        skew=await store.text(keys.CLOCK_SKEW),
        durability=store.durability,
        sentinel="sentinel" in store.where,
        ahead=await _ahead(store),
    )


async def _ahead(store: Store) -> timedelta:
    """What the way of the answer may account for is no difference."""
    before = datetime.now(UTC)
    seconds, micros = await store.execute_command("TIME", repeatable=True)
    after = datetime.now(UTC)
    theirs = datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(micros))
    ahead = theirs - (before + (after - before) / 2)
    return ahead if abs(ahead) > (after - before) / 2 else timedelta()


async def _configuration(store: Store) -> Mapping[str, str] | None:
    found: dict[str, str] = {}
    for name in ("appendfsync", "min-replicas-to-write", "maxmemory-policy", "appendonly"):
        try:
            found.update(await store.execute_command("CONFIG GET", name, repeatable=True))
        except ColdmigrateError:  # forbidden, or renamed away: providers do either
            return None
    return found


def _release(facts: Facts) -> Finding:
    about = "redis.version"
    text = str(facts.info.get("redis_version", ""))
    found = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    valkey = facts.info.get("valkey_version")
    name = f"Valkey {valkey}" if valkey else f"Redis {text or 'of an unknown version'}"
    if not found:
        return warning(about, f"{name}.", do="Redis 6.2 or Valkey is needed.")
    if found < OLDEST:
        return error(about, f"{name} lacks commands that are needed.", do="Use Redis 6.2 or later, or Valkey.")
    if facts.durability.disk and found < OLDEST_FOR_DISKS:
        return error(
            about,
            f"{name} cannot say what is on disk, and redis.confirm_disk asks for that.",
            do="Use Redis 7.2 or later, or Valkey; or take redis.confirm_disk away.",
        )
    return fine(about, f"{name}.")


def _place(facts: Facts) -> Finding:
    about = "redis.role"
    if facts.info.get("role") in ("slave", "replica"):
        return error(
            about,
            "This is a replica and takes no writes.",
            do="Let redis.url name the primary, or the sentinels (redis+sentinel://).",
        )
    return fine(about, "It is a primary.")


def _eviction(facts: Facts) -> Finding:
    about = "redis.eviction"
    policy = (facts.config or {}).get("maxmemory-policy") or facts.info.get("maxmemory_policy")
    if policy is None:
        return warning(about, f"{_UNREADABLE}.", do="See to it that maxmemory-policy is noeviction.")
    if policy != "noeviction":
        return error(
            about,
            f"maxmemory-policy is {policy}: when memory is short, Redis throws away jobs and what people approved.",
            do="Set maxmemory-policy noeviction.",
        )
    return fine(about, "maxmemory-policy is noeviction.")


def _memory(facts: Facts) -> Finding:
    about = "redis.memory"
    used, limit = int(facts.info.get("used_memory", 0)), int(facts.info.get("maxmemory", 0) or 0)
    if not limit:
        return fine(about, f"{used / 1e6:.0f} MB in use, no limit (maxmemory).")
    says = f"{used / 1e6:.0f} of {limit / 1e6:.0f} MB in use."
    if used > limit * _NEARLY_FULL:
        judged = error if used > limit * _FULL else warning
        return judged(about, says, do="Raise maxmemory, or nothing new is accepted soon.")
    return fine(about, says)


def _file(facts: Facts) -> Finding:
    about = "redis.appendonly"
    if facts.info.get("aof_last_write_status", "ok") != "ok":
        return error(about, "The append-only file cannot be written.", do="Free space on the disk of Redis.")
    on = int(facts.info.get("aof_enabled", 0)) or (facts.config or {}).get("appendonly") == "yes"
    if on:
        return fine(about, "The append-only file is written.")
    if facts.durability.disk:
        return error(
            about,
            "appendonly is no, and redis.confirm_disk asks for the disk: nothing can be confirmed.",
            do="Set appendonly yes, or take redis.confirm_disk away.",
        )
    return warning(
        about,
        "appendonly is no: a restart of Redis forgets everything since its last snapshot, if it makes any.",
        do="Set appendonly yes.",
    )


def _sync(facts: Facts) -> Finding:
    about = "redis.appendfsync"
    how = (facts.config or {}).get("appendfsync")
    if how is None:
        return warning(about, f"{_UNREADABLE}.", do="See to it that appendfsync is everysec or always.")
    if how == "no":
        return warning(
            about,
            "appendfsync is no: a power cut may take half a minute of jobs.",
            do="Set appendfsync everysec or always.",
        )
    return fine(about, f"appendfsync is {how}.")


def _replicas(facts: Facts) -> Finding:
    about, found, wanted = "redis.replicas", _in_step(facts.info), facts.durability.replicas
    if found < wanted:
        return error(
            about,
            f"{found} replicas are in step and {wanted} must confirm what people are told: "
            "nothing can be asked for, approved or started.",
            do="Bring the replicas back, or lower redis.confirm_replicas.",
        )
    if not found:
        return warning(
            about,
            "There is no replica: what this machine loses is lost.",
            do="Keep a replica and Sentinel, or know how long a restore takes.",
        )
    if found == wanted and facts.sentinel:
        return warning(
            about,
            f"{found} replicas, all of which must confirm: after a failover nothing is accepted until one is back.",
            do="Keep one replica more than redis.confirm_replicas.",
        )
    return fine(about, f"{found} replicas are in step.")


def _cut_off(facts: Facts) -> Finding:
    about = "redis.min-replicas"
    if not int(facts.info.get("connected_slaves", 0)):
        return fine(about, "Without replicas there is nothing to be cut off from.")
    least = (facts.config or {}).get("min-replicas-to-write")
    if least is None:
        return warning(about, f"{_UNREADABLE}.", do="See to it that min-replicas-to-write is 1 or more.")
    if int(least) == 0:
        return warning(
            about,
            "min-replicas-to-write is 0: a primary that is cut off goes on accepting what nobody else will know.",
            do="Set min-replicas-to-write 1 and min-replicas-max-lag 10.",
        )
    return fine(about, f"min-replicas-to-write is {least}.")


def _schema(facts: Facts) -> Finding:
    about = "redis.schema"
    if facts.schema is None:
        return fine(about, "Nothing of ours is there yet.")
    if facts.schema == VERSION:
        return fine(about, f"The data is of schema {VERSION}.")
    if facts.schema in STEPS:
        return warning(
            about,
            f"The data is of schema {facts.schema}, this program's is {VERSION}.",
            do="Make a backup; the next role that starts brings it up. Older programs have to be stopped before.",
        )
    return error(
        about,
        f"The data is of schema {facts.schema}, which this program (schema {VERSION}) cannot read.",
        do="Run the version that wrote it, or use another database number in redis.url.",
    )


def _clock(facts: Facts) -> Finding:
    about = "redis.clock"
    if facts.skew is None:
        return fine(about, "Nobody moves the clock.")
    moved = timedelta(milliseconds=int(facts.skew)) if re.fullmatch(r"-?\d+", facts.skew) else facts.skew
    return error(
        about,
        f"The key {keys.CLOCK_SKEW} moves the clock of every job by {moved}; only tests set it.",
        do=f"DEL {keys.CLOCK_SKEW}",
    )


def _time(facts: Facts) -> Finding:
    about, seconds = "redis.time", facts.ahead.total_seconds()
    if abs(facts.ahead) <= _APART:
        return fine(about, "Its clock and ours agree.")
    side = "ahead of" if seconds > 0 else "behind"
    says = f"Its clock is {abs(seconds):.0f} s {side} ours; jobs go by it."
    return warning(about, says, do="Let both keep the time by NTP: logs and jobs are told apart by it.")


CHECKS: Final[tuple[Callable[[Facts], Finding], ...]] = (
    _release, _place, _eviction, _memory, _file, _sync, _replicas, _cut_off, _schema, _clock, _time,
)  # fmt: skip


def _in_step(info: Mapping[str, Any]) -> int:
    states = [info[f"slave{number}"] for number in range(int(info.get("connected_slaves", 0)))]
    return sum(isinstance(state, Mapping) and state.get("state") == "online" for state in states)
