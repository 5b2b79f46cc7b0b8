"""`coldmigrate audit export`: who did what, when and why, for whoever has to account for it."""

from __future__ import annotations

import csv
import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bot.cli.ledger import CONFIG, ascii_json, ask, me, plain
from bot.cli.moments import Moment

if TYPE_CHECKING:
    from bot.jobs.port import AuditEntry
    from bot.jobs.queue import RedisQueue

PAGE: Final = 1000
COLUMNS: Final = ("at", "by", "verb", "on", "why", "id")
_FORMULA: Final = ("=", "+", "-", "@")
"""What a spreadsheet takes for a formula at the beginning of a cell."""


@click.group()
@CONFIG
@click.pass_context
def audit(context: click.Context, config: Path | None) -> None:
    """Read the audit log: drafts, approvals, cancels, holds, releases, refusals, and how jobs ended."""
    context.obj = config


@audit.command("export")
@click.option("--since", type=Moment(), help="Only what came after: '2h', '7d', or '2026-11-23 16:30' (UTC).")
@click.option(
    "--format",
    "output",
    type=click.Choice(["json", "csv"]),
    default="json",
    show_default=True,
    help="One JSON object a line, or CSV with a header; no cell is a formula.",
)
@click.pass_obj
def export(config: Path | None, since: datetime | None, output: str) -> None:
    """Write the audit log to standard output, oldest first. The export itself is written down in it."""
    write = _csv() if output == "csv" else _json
    start = f"{round(since.timestamp() * 1000)}-0" if since is not None else "0-0"
    ask(config, lambda queue: _export(queue, start, write))


async def _export(queue: RedisQueue, since: str, write: Callable[[AuditEntry], None]) -> None:
    count = 0
    async for entry in _entries(queue, since):
        write(entry)
        count += 1
    sys.stdout.flush()
    await queue.note_act(by=me(), verb="export", on="audit", why=f"{count} entries")


async def _entries(queue: RedisQueue, since: str) -> AsyncIterator[AuditEntry]:
    """Page by page, up to the end as it is when it is reached."""
    while page := await queue.acts(since=since, limit=PAGE):
        for entry in page:
            yield entry
        since = page[-1].id


def _json(entry: AuditEntry) -> None:
    """ASCII alone: no control character, and nothing that a terminal would act on."""
    fields = {"at": entry.at.isoformat(), "by": entry.by, "verb": entry.verb, "on": entry.on, "why": entry.why}
    sys.stdout.write(ascii_json({**fields, "id": entry.id}) + "\n")


def _csv() -> Callable[[AuditEntry], None]:
    rows = csv.writer(sys.stdout)
    rows.writerow(COLUMNS)

    def write(entry: AuditEntry) -> None:
        cells = (entry.at.isoformat(), entry.by, entry.verb, entry.on, entry.why, entry.id)
        rows.writerow([_cell(cell) for cell in cells])

    return write


def _cell(text: str) -> str:
    """Text for a spreadsheet, which would carry out what looks like a formula, and show what is hidden as nothing."""
    shown = plain(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
