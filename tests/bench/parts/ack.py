"""How soon a slash command is acked: twenty commands a second for the real bot, with Redis and 5000 VMs behind it.

The peer is a bare Bolt app under the same load from the same generator, in turns with ours. What is typed is a mix:
migrations of a different VM each, `list`, `help`, and names that do not exist; the inventory changes meanwhile.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bot.migration.request import VCenterName, VmRef
from bot.playground.slack.player import SlackPlayer
from bot.store import embedded
from bot.store.client import Store, connect
from bot.vsphere.inventory_store import publish
from bot.vsphere.port import InventoryVm
from tests.bench import stage
from tests.bench.children import child
from tests.bench.figures import Figure, percentile
from tests.bench.open_loop import Shot, open_loop

NAME: Final = "ack"

PER_SECOND: Final = 20.0
CHANNELS: Final = 20
VMS: Final = 5000
WARM_UP: Final = 60
ROUNDS: Final = 3
SHOTS: Final = 200  # a round of ours: ten seconds
PEER_SHOTS: Final = 120
LIMIT: Final = 250.0
VCENTER: Final = VCenterName("east")

CYCLE: Final = 25
KINDS: Final = {3: "list", 9: "help", 15: "list", 20: "misspelt"}  # of every 25 commands; the others are migrations
SAID: Final = {"list": " live, ", "help": "What you may do", "misspelt": "No VM is called", "migrate": "Checking "}


@dataclass(frozen=True, slots=True)
class Acked:
    """What became of a command: which kind it was, and what is wrong with the answer, if anything."""

    kind: str
    wrong: str


Shots = list[Shot[Acked]]


async def measure() -> list[Figure]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        valkey = stack.enter_context(embedded.start(folder / "valkey"))
        store = await stack.enter_async_context(connect(valkey.url))
        await publish(store, VCENTER, inventory())
        ours, channels = await stack.enter_async_context(stage.playing_slack(CHANNELS))
        await stack.enter_async_context(stage.role("bot", ours, valkey.url, folder))
        peer, peer_channels = await stack.enter_async_context(stage.playing_slack(CHANNELS))
        await stack.enter_async_context(echo_bot(peer, folder))
        return await _rounds(Typist(ours, channels), Typist(peer, peer_channels, echo=True), store)


@asynccontextmanager
async def echo_bot(slack: SlackPlayer, folder: Path) -> AsyncIterator[None]:
    """The peer's process, listening."""
    tokens = {"APP_TOKEN": slack.app_token, "BOT_TOKEN": slack.bot_token}
    async with child("echo bot", "tests.bench.echo_bot", slack.api_url, folder=folder, environment=tokens):
        await stage.connected(slack)
        yield


def vm_name(number: int) -> str:
    return f"{('web', 'app', 'db', 'cache')[number % 4]}-prod-{number:04}"


def inventory(*, change: int = 0) -> list[InventoryVm]:
    """The fleet; with each `change` one VM is on another host, so that it has to be read anew."""
    rows = [
        InventoryVm(
            VmRef(VCENTER, f"50210000-0000-4000-8000-{number:012}", vm_name(number)),
            f"/DC1/vm/Web/{vm_name(number)}",
            f"esx-{number % 40:02}.site1.example.net",
            "DC1",
            "poweredOff",
        )
        for number in range(VMS)
    ]
    rows[-1] = replace(rows[-1], host=f"esx-{40 + change}.site1.example.net")
    return rows


@dataclass(slots=True)
class Typist:
    """People at their keyboards, in front of one of the two bots."""

    slack: SlackPlayer
    channels: Sequence[str]
    echo: bool = False

    async def __call__(self, number: int) -> Acked:
        kind = KINDS.get(number % CYCLE, "migrate")
        user = stage.PEOPLE[number % len(stage.PEOPLE)]
        outcome = await self.slack.person.command(user, self.channels[number % len(self.channels)], _line(kind, number))
        text = _shown(outcome.ack or {})
        expected = "You said: " if self.echo else SAID[kind]
        return Acked(kind, "" if expected in text else f"{_line(kind, number)!r}: {outcome.error or text!r}")


def _line(kind: str, number: int) -> str:
    match kind:
        case "migrate":
            return f"/coldmigrate {vm_name(number)} site2"
        case "misspelt":
            return f"/coldmigrate {vm_name(number).replace('prod', 'prdo')} site2"
        case word:
            return f"/coldmigrate {word}"


def _shown(ack: dict[str, object]) -> str:
    return str(ack.get("text", ""))


async def _rounds(ours: Typist, peer: Typist, store: Store) -> list[Figure]:
    """In turns, so that a busy minute of the machine hits both."""
    await open_loop(ours, per_second=PER_SECOND, count=WARM_UP)
    await open_loop(peer, per_second=PER_SECOND, count=WARM_UP)
    own: Shots = []
    theirs: Shots = []
    for turn in range(ROUNDS):
        await publish(store, VCENTER, inventory(change=turn + 1))
        own += await open_loop(ours, per_second=PER_SECOND, count=SHOTS, first=WARM_UP + turn * SHOTS)
        theirs += await open_loop(peer, per_second=PER_SECOND, count=PEER_SHOTS, first=turn * PEER_SHOTS)
        print(f"ack: round {turn + 1}: p99 {_at(own, 0.99):.0f} ms, peer {_at(theirs, 0.99):.0f} ms", file=sys.stderr)
    _complain(theirs, "the peer")
    return _figures(own, theirs)


def _figures(own: Shots, theirs: Shots) -> list[Figure]:
    peer = "a bare Bolt app"
    wrong = _complain(own, "the bot", fatal=False)
    by_kind = {kind: [shot for shot in own if shot.answer.kind == kind] for kind in SAID}
    lateness = [shot.lateness for shot in own]
    return [
        Figure(name="ack.p50", value=_at(own, 0.5), unit="ms").against(peer, _at(theirs, 0.5)),
        Figure(name="ack.p99", value=_at(own, 0.99), unit="ms").against(peer, _at(theirs, 0.99)).below(LIMIT),
        *(Figure(name=f"ack.{kind}.p50", value=_at(shots, 0.5), unit="ms") for kind, shots in by_kind.items()),
        Figure(name="ack.wrong", value=wrong, unit=f"of {len(own)} answers").none(),
        Figure(name="ack.generator late p99", value=percentile(lateness, 0.99), unit="ms"),
    ]


def _at(shots: Shots, share: float) -> float:
    return percentile([shot.latency for shot in shots], share)


def _complain(shots: Shots, who: str, *, fatal: bool = True) -> int:
    """How many answers of ours were wrong; a wrong answer of the peer makes all figures worthless."""
    wrong = [shot.answer.wrong for shot in shots if shot.answer.wrong]
    if wrong and fatal:
        raise RuntimeError(f"{who} answered wrongly: {wrong[0]}")
    for sentence in wrong[:3]:
        print(f"ack: {who} answered wrongly: {sentence}", file=sys.stderr)
    return len(wrong)
