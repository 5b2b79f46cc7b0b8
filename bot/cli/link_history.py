"""What `coldmigrate link history` reads and prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bot.cli.ledger import moment, print_table
from bot.errors import UserError
from bot.migration.link_loss import pooled, stretches
from bot.migration.measured import LinkSample, SampleKind
from bot.slack.figures import rate

if TYPE_CHECKING:
    from bot.store.client import Store

ROWS: Final = 24
"""Stretches of time that people are shown, of equal length: hours, of a day."""


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a link. `bound`: the share of packets that it may lose, by the config; None: it does not say."""

    link: str
    since: datetime
    until: datetime
    samples: Sequence[LinkSample]
    usual_rate: float | None
    bound: float | None


async def read(store: Store, *, link: str, since: datetime, bound: float | None) -> History:
    """As it is in Redis, up to now by Redis' clock."""
    from bot.jobs.queue import RedisQueue
    from bot.links.history import RedisLinkHistory

    history = RedisLinkHistory(store)
    until = await RedisQueue(store).now()
    if since >= until:
        raise UserError("--since has to be before now.", example="coldmigrate link history site1 site2 --since 2h")
    return History(link, since, until, await history.samples(link, since=since), await history.usual_rate(link), bound)


def bound_of(config: Path | None, link: str) -> float | None:
    """The bound of the config, where there is one that can be read."""
    from bot import settings

    try:
        return settings.load(config).max_loss().get(link)
    except UserError:
        return None


def print_history(found: History) -> None:
    """For people: the whole of it in two lines, and a table of what was lost when."""
    loss = pooled(found.samples)
    usual = rate(found.usual_rate) or "not known yet"
    copies, canaries = (
        sum(1 for sample in found.samples if sample.kind is kind) for kind in (SampleKind.COPY, SampleKind.CANARY)
    )
    click.echo(f"{found.link} since {moment(found.since)}: packets: {loss.words}.")
    tried = f" Canaries that went well: {canaries}." if canaries else ""
    click.echo(f"Copies that went well: {copies}. Usual rate: {usual}.{tried}")
    each = (found.until - found.since) / ROWS
    rows = [
        (moment(one.middle - each / 2), moment(one.middle + each / 2), one.loss.words)
        for one in stretches(found.samples, since=found.since, until=found.until, most=ROWS)
    ]
    rows += [
        (moment(sample.at), "", f"{sample.kind.value}: {rate(sample.rate) or 'rate not known'}")
        for sample in found.samples
        if sample.kind is not SampleKind.PROBE
    ]
    if rows:
        print_table(("from", "to", "what"), sorted(rows), whole=("from", "to"))


def as_json(found: History) -> dict[str, Any]:
    """For machines: every sample, and the same sums that people see. Rates are bytes per second, times ISO, in UTC."""
    loss = pooled(found.samples)
    return {
        "schema": "coldmigrate.link-history/1",
        "link": found.link,
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "sent": loss.sent,
        "lost": loss.lost,
        "interval": [loss.interval.low, loss.interval.high],
        "max_loss": found.bound,
        "usual_rate": found.usual_rate,
        "samples": [_sample(sample) for sample in found.samples],
    }


def draw(found: History, file: Path) -> None:
    """Write the picture. UserError when the file cannot be written."""
    from bot.slack.loss_chart import loss_chart

    picture = loss_chart(found.samples, link=found.link, since=found.since, until=found.until, bound=found.bound)
    try:
        file.write_bytes(picture)
    except OSError as refusal:
        raise UserError(f"{file} cannot be written: {refusal.strerror}.") from refusal


def _sample(sample: LinkSample) -> dict[str, Any]:
    return {
        "at": sample.at.isoformat(),
        "kind": sample.kind.value,
        "source_host": sample.source_host,
        "target_host": sample.target_host,
        "sent": sample.sent,
        "lost": sample.lost,
        "rtt_ms": sample.rtt.total_seconds() * 1000 if sample.rtt is not None else None,
        "rate": sample.rate,
    }
