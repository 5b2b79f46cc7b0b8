"""One look at the logs of all hosts, without Slack and without Redis: what `coldmigrate watch --once` tells."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.diagnosis.engine import Engine
from bot.diagnosis.event import SourceLine
from bot.diagnosis.scope import Scope
from bot.diagnosis.verdict import Report
from bot.hostlog.assign import TOO_MANY
from bot.hostlog.candidates import Sieve
from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind, WatchedHost
from bot.logs.port import Batch, LogSource

AT_ONCE: Final = 16
MOST_LINES: Final = 20_000
"""Candidate lines of one log; a host that complains more often than that complains of one thing."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRead:
    """What was read of one host, and how. `trouble`: why something of it could not be read."""

    host: HostKey
    kind: SourceKind
    lines: int = 0
    candidates: int = 0
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchReport:
    """All hosts by name, and the failures that their logs tell of."""

    hosts: Sequence[HostRead]
    report: Report


Sources = Mapping[int | None, LogSource]
"""How hosts are read, by the number of their `[[sources]]` table; None: through vCenter."""


async def watch_once(
    hosts: Collection[WatchedHost],
    sources: Sources,
    *,
    engine: Engine,
    logs: Sequence[str],
    since: timedelta,
    done: Callable[[HostRead], None] = lambda _: None,
) -> WatchReport:
    """Read what all these hosts wrote lately and diagnose it. `done` is told each host once it was read.

    A host whose log comes by syslog is read through vCenter: syslog tells nothing of the past. What cannot be read is
    told in the report; nothing is raised.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def read(host: WatchedHost) -> tuple[HostRead, list[SourceLine]]:
        async with room:
            found = await _read_host(host, sources, engine=engine, logs=logs, since=since)
        done(found[0])
        return found

    every = await asyncio.gather(*(read(host) for host in sorted(hosts, key=lambda host: host.key)))
    lines = [line for _, of_host in every for line in of_host]
    begin = datetime.now(UTC) - since
    report = await asyncio.to_thread(engine.diagnose_lines, lines, scope=Scope(since=begin))
    return WatchReport([host for host, _ in every], report)


async def _read_host(
    host: WatchedHost, sources: Sources, *, engine: Engine, logs: Sequence[str], since: timedelta
) -> tuple[HostRead, list[SourceLine]]:
    source = _source_of(host, sources)
    if source is None:
        unwanted = host.kind is SourceKind.NONE and host.source is not None
        return HostRead(host=host.key, kind=host.kind, trouble=() if unwanted else (TOO_MANY,)), []
    seen = HostRead(host=host.key, kind=source.kind)
    lines: list[SourceLine] = []
    for name in logs:
        sieve = Sieve(engine.is_candidate)
        try:
            async for batch in source.once(host.key, name, since=since):
                kept = [] if len(lines) >= MOST_LINES * len(logs) else _candidates(batch, host, name, sieve=sieve)
                lines += kept
                seen = _with(seen, batch, name, kept=len(kept))
        except Exception as error:  # a thousand other hosts were read
            log.exception("Reading %s of %s failed.", name, host.key)
            defect = f"{name}.log: reading it failed by a defect of ours ({type(error).__name__})"
            seen = replace(seen, trouble=(*seen.trouble, defect))
    return seen, lines


def _source_of(host: WatchedHost, sources: Sources) -> LogSource | None:
    match host.kind:
        case SourceKind.NONE:
            return None
        case SourceKind.SYSLOG:
            return sources.get(None)
        case _:
            return sources.get(host.source)


def _candidates(batch: Batch, host: WatchedHost, log: str, *, sieve: Sieve) -> list[SourceLine]:
    lines = batch.lines if batch.sieved else sieve.take(batch.lines)
    return [SourceLine(file=f"{host.name} {log}.log", line=n.number, text=n.text, host=host.name) for n in lines]


def _with(seen: HostRead, batch: Batch, log: str, *, kept: int) -> HostRead:
    trouble = (*seen.trouble, f"{log}.log: {batch.gap}") if batch.gap else seen.trouble
    lines, candidates = seen.lines + (batch.read or len(batch.lines)), seen.candidates + kept
    return replace(seen, lines=lines, candidates=candidates, trouble=trouble)
