"""How soon a migration's card stands in the channel: two commands a second over twenty channels, for a minute.

Bot, worker and vCenter are processes of their own, Slack enforces its rate limits and counts what it refused. The
limit itself is the peer: a second is what a person takes for "at once". What follows the card, the plan, is told as
information: Slack takes 50 edits a minute of one app, and at this load that is what a plan waits for.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from bot.playground.slack.changes import ChangeKind
from bot.playground.slack.player import SlackPlayer
from bot.playground.vcenter.player import PLAYERS_FILE
from bot.store import embedded
from tests.bench import stage
from tests.bench.children import child
from tests.bench.figures import Figure, percentile
from tests.bench.open_loop import Shot, open_loop

NAME: Final = "card"

PER_SECOND: Final = 2.0
CHANNELS: Final = 20
WARM_UP: Final = 10
SHOTS: Final = 120  # a minute
VMS: Final = WARM_UP + SHOTS + 20
LIMIT: Final = 1000.0
PATIENCE: Final = timedelta(seconds=30)

PLACES: Final = """\
seed = 7
[[vcenters]]
name = "east"
[[sites]]
name = "site1"
vcenter = "east"
hosts = 4
datastores = [{ name = "ds-c1-01", capacity = "40 TiB", free = "20 TiB" }]
networks = ["VM Network"]
[[sites]]
name = "site2"
vcenter = "east"
hosts = 4
datastores = [{ name = "ds-c2-01", capacity = "40 TiB", free = "30 TiB" }]
networks = ["VM Network"]
[[links]]
between = ["site1", "site2"]
"""
VM: Final = """\
[[vms]]
name = "web-{number:04}"
site = "site1"
disks = ["16 GiB thin 100 MiB"]
"""

JOB: Final = re.compile(r"job ([a-z2-7]{8})\b")


async def measure() -> list[Figure]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        valkey = stack.enter_context(embedded.start(folder / "valkey"))
        vcenter = await stack.enter_async_context(playing_vcenter(folder))
        slack, channels = await stack.enter_async_context(stage.playing_slack(CHANNELS))
        await stack.enter_async_context(stage.role("bot", slack, valkey.url, folder, target=vcenter))
        await stack.enter_async_context(stage.role("worker", slack, valkey.url, folder, target=vcenter))
        typist = Typist(slack, channels)
        await typist.until_inventory_is_known()
        await open_loop(typist, per_second=PER_SECOND, count=WARM_UP)
        print(f"card: {SHOTS} commands, {PER_SECOND:g} a second", file=sys.stderr)
        shots = await open_loop(typist, per_second=PER_SECOND, count=SHOTS, first=WARM_UP)
        ended = asyncio.get_running_loop().time()
        await typist.until_cards_stand([shot.answer for shot in shots])
        return _figures(slack, shots, ended)


@asynccontextmanager
async def playing_vcenter(folder: Path) -> AsyncIterator[stage.Target]:
    """A vCenter with two sites and enough small VMs, in a process of its own."""
    world = folder / "world.toml"
    world.write_text(PLACES + "".join(VM.format(number=number) for number in range(VMS)), encoding="utf-8")
    async with child("vcenter", "tests.bench.played_vcenter", str(world), str(folder), folder=folder):
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not (folder / PLAYERS_FILE).exists():
                await asyncio.sleep(0.02)
        told = json.loads((folder / PLAYERS_FILE).read_text(encoding="utf-8"))["vcenters"]["east"]
        yield stage.Target(told["url"], told["user"], told["password"], told["ca_file"])


@dataclass(slots=True)
class Typist:
    """Asks for one migration after the other; the answer is the job's id, or nothing if there is no job."""

    slack: SlackPlayer
    channels: Sequence[str]

    async def __call__(self, number: int) -> str:
        text = await self._type(number, f"/coldmigrate web-{number:04} site2")
        found = JOB.search(text)
        if found is None:
            print(f"card: no job came of a command: {text}", file=sys.stderr)
        return found[1] if found else ""

    async def until_inventory_is_known(self) -> None:
        """Until the worker has told the bot which VMs there are."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while "No inventory" in await self._type(0, "/coldmigrate nothing-of-this-name site2"):
                await asyncio.sleep(0.1)

    async def until_cards_stand(self, jobs: Sequence[str]) -> None:
        """Until every job has its card, or nobody would wait any longer."""
        wanted = set(jobs) - {""}
        try:
            await self.slack.person.wait_for(lambda: wanted <= {card.job for card in cards(self.slack)}, PATIENCE)
        except TimeoutError as error:
            print(f"card: {error}", file=sys.stderr)

    async def _type(self, number: int, line: str) -> str:
        user = stage.PEOPLE[number % len(stage.PEOPLE)]
        outcome = await self.slack.person.command(user, self.channels[number % len(self.channels)], line)
        return outcome.text or str(outcome.error)


@dataclass(frozen=True, slots=True)
class Card:
    """A job's card as the channel shows it: when it was posted and last edited, on the event loop's clock."""

    job: str
    posted: float
    edited: float
    planned: bool


def cards(slack: SlackPlayer) -> Iterator[Card]:
    """All cards that stand in a channel now."""
    times: dict[tuple[str, str], list[float]] = {}
    for item in slack.workspace.traffic:
        if item.by_app and item.kind in (ChangeKind.POSTED, ChangeKind.UPDATED):
            times.setdefault((item.channel, item.ts), []).append(item.at)
    for (channel, ts), seen in times.items():
        message: dict[str, Any] = slack.person.message(channel, ts)
        about = message.get("metadata", {}).get("event_payload", {})
        if about.get("kind") == "card":
            yield Card(about["job_id"], seen[0], seen[-1], planned="cm.approve" in json.dumps(message["blocks"]))


def _figures(slack: SlackPlayer, shots: Sequence[Shot[str]], ended: float) -> list[Figure]:
    standing = {card.job: card for card in cards(slack)}
    waits = [(standing[shot.answer].posted - shot.due) * 1000 for shot in shots if shot.answer in standing]
    plans = [card for card in standing.values() if card.planned and card.edited <= ended]
    refused = sum(slack.tally.throttled.values())
    if refused:
        print(f"card: refused by rate: {dict(slack.tally.throttled)}", file=sys.stderr)
    return [
        Figure(name="card.p50", value=percentile(waits, 0.5), unit="ms"),
        Figure(name="card.p99", value=percentile(waits, 0.99), unit="ms").below(LIMIT),
        Figure(name="card.missing", value=len(shots) - len(waits), unit=f"of {len(shots)} cards").none(),
        Figure(name="card.429s", value=refused, unit="refused calls").none(),
        Figure(name="card.ack p99", value=percentile([shot.latency for shot in shots], 0.99), unit="ms"),
        Figure(name="card.plans shown", value=len(plans), unit=f"of {len(standing)} cards in that minute"),
        Figure(name="card.generator late p99", value=percentile([s.lateness for s in shots], 0.99), unit="ms"),
    ]
