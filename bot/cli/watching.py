"""What `coldmigrate watch --once` does and prints: every host once, how it was read, and what its logs tell."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bot.cli.diagnosing import EXIT_INCIDENTS, EXIT_NOTHING, EXIT_STOPPED, EXIT_UNREADABLE, rendered

if TYPE_CHECKING:
    from bot.hostlog.roll import Roll
    from bot.operations.watch_once import HostRead, WatchReport
    from bot.settings import Settings
    from bot.vsphere.port import HostEntry
    from bot.vsphere.vcenter import PyvmomiVCenter

SCHEMA: Final = "coldmigrate.watch/1"


@dataclass(frozen=True, slots=True)
class Look:
    """What one look told, and which vCenters could not say what hosts they have."""

    since: datetime
    watched: WatchReport
    unreadable: Mapping[str, str]


def look(config: Path | None, *, since: datetime, form: str) -> int:
    """Look once, print it, and return the exit code."""
    from bot import settings, telemetry

    telemetry.set_up(form=telemetry.Form.TEXT, level=logging.ERROR)  # what goes wrong is in the table
    loaded = settings.load(config)
    try:
        seen = asyncio.run(_looked(loaded, since))
    except KeyboardInterrupt:
        click.echo("coldmigrate: stopped before the end; nothing is reported.", err=True)
        return EXIT_STOPPED
    click.echo(_json(seen) if form == "json" else _text(seen), nl=False)
    return _exit_code(seen)


async def _looked(settings: Settings, since: datetime) -> Look:
    from bot.compose import engine_of, roll_maker, vcenters_of
    from bot.compose_watch import sources_of
    from bot.operations.watch_once import watch_once

    async with vcenters_of(settings) as known:
        vcenters = {str(name): vcenter for name, vcenter in known.items()}
        found, unreadable = await _hosts(vcenters)
        roll: Roll = roll_maker(settings)(found)
        with _bar(len(roll.hosts)) as done:
            watched = await watch_once(
                roll.hosts.values(),
                sources_of(settings, vcenters),
                engine=engine_of(settings),
                logs=settings.watch.logs,
                since=datetime.now(UTC) - since,
                done=done,
            )
    return Look(since, watched, unreadable)


async def _hosts(vcenters: Mapping[str, PyvmomiVCenter]) -> tuple[dict[str, Sequence[HostEntry]], dict[str, str]]:
    """Return the hosts of those vCenters that answer, and what became of the others."""
    from bot.errors import ColdmigrateError

    found: dict[str, Sequence[HostEntry]] = {}
    unreadable: dict[str, str] = {}

    async def ask(name: str, vcenter: PyvmomiVCenter) -> None:
        try:
            found[name] = await vcenter.roll()
        except ColdmigrateError as error:
            unreadable[name] = str(error)

    await asyncio.gather(*(ask(name, vcenter) for name, vcenter in vcenters.items()))
    return found, unreadable


@contextmanager
def _bar(hosts: int) -> Iterator[Callable[[HostRead], None]]:
    """Show on a terminal how many hosts were read; a bar that nobody sees costs nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("Reading hosts"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("hosts", total=hosts)
        yield lambda _: progress.advance(task)


def _exit_code(seen: Look) -> int:
    if seen.unreadable or any(host.trouble for host in seen.watched.hosts):
        return EXIT_UNREADABLE
    return EXIT_INCIDENTS if seen.watched.report.incidents else EXIT_NOTHING


def _json(seen: Look) -> str:
    hosts = [
        {
            "host": host.host,
            "source": host.kind.value,
            "lines": host.lines,
            "candidates": host.candidates,
            "trouble": list(host.trouble),
        }
        for host in seen.watched.hosts
    ]
    vcenters = [{"vcenter": name, "trouble": trouble} for name, trouble in seen.unreadable.items()]
    plain: dict[str, Any] = {
        "schema": SCHEMA,
        "since": seen.since.isoformat(timespec="seconds"),
        "hosts": hosts,
        "unreadable_vcenters": vcenters,
        "diagnosis": seen.watched.report.to_json(),
    }
    return json.dumps(plain, indent=2) + "\n"


def _text(seen: Look) -> str:
    """One line a host, then the report. What strangers named may neither end a line nor steer a terminal."""
    from bot.diagnosis.printable import printable

    rows = [("HOST", "READ BY", "LINES", "CANDIDATES", "TROUBLE"), *map(_row, seen.watched.hosts)]
    widths = [max(len(printable(row[column])) for row in rows) for column in range(4)]
    table = [
        "  ".join(f"{printable(cell):{width}}" for cell, width in zip(row, (*widths, 0), strict=True)).rstrip()
        for row in rows
    ]
    away = [printable(f"vCenter {name} could not be asked: {trouble}") for name, trouble in seen.unreadable.items()]
    said = f"Since {seen.since:%Y-%m-%d %H:%M} UTC. What the candidates and their neighbours tell:"
    return "\n".join([*table, *away, "", said, rendered(seen.watched.report, "text")])


def _row(host: HostRead) -> tuple[str, str, str, str, str]:
    return host.host, host.kind.value, f"{host.lines}", f"{host.candidates}", "; ".join(host.trouble)
