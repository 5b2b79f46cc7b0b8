"""Sets the stage of the demo: an embedded Valkey, the players, and the real roles, configured against them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from bot.cli.init import CONFIG, MANIFEST
from bot.cli.roles import COMMAND, our_roles
from bot.cli.stagehands import Crew, WorldClock
from bot.cli.supervisor import Supervisor
from bot.cli.tale import Whereabouts
from bot.playground.page.server import PageServer
from bot.playground.pager.board import PagerIncident
from bot.playground.pager.pagerduty import POLICY, PagerDutyPlayer
from bot.playground.slack.control import SlackControl
from bot.playground.slack.player import SlackPlayer
from bot.playground.vcenter.player import RunningWorld, VCenterPlayer, play_world
from bot.playground.world import load_world
from bot.settings import with_environment
from bot.settings_tables import Allow

WORLD: Final = Path(__file__).parent.parent / "playground" / "worlds" / "demo.toml"
VCENTER: Final = "east"
NOBODY: Final = "is-the-stage-set"
STARTING: Final = timedelta(seconds=60)
Player = TypeVar("Player", SlackPlayer, PagerDutyPlayer)
ON_CALL: Final = ((1, "Carol Example"), (2, "Bob Example"))
"""Who PagerDuty would wake, and whom after that; both are in the simulated Slack, too."""

WATCHING: Final = """
[syslog]
address = "127.0.0.1"
tcp = {syslog}

[[sources]]
kind = "api"
sites = ["site2"]

[[sinks]]
kind = "pagerduty"
name = "PagerDuty"
url = "{pager}"
routing_key_env = "PD_KEY"
api_token_env = "PD_TOKEN"
escalation_policy = "{policy}"
after_minutes = 1
"""
"""Hosts of one site send their logs, those of the other are read through vCenter. A minute is what a visitor waits."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs. `slack` is where people are, `world` what referees ask, `crew` what happens behind."""

    slack: SlackControl
    player: SlackPlayer
    world: RunningWorld
    pager: PagerDutyPlayer
    supervisor: Supervisor
    crew: Crew

    async def ready(self) -> None:
        """Return once the bot listens and a worker has read the inventory; a question without effect tells both."""

        async def answers() -> bool:
            outcome = await self.slack.command("carol", "#random", f"/coldmigrate {NOBODY} site2")
            return outcome.error is None and NOBODY in outcome.text

        async with asyncio.timeout(STARTING.total_seconds()):
            while not await answers():  # noqa: ASYNC110 - asking is the only way to know
                await asyncio.sleep(0.2)
        # Nobody of the play asked this, so nobody finds the answers in the channel or among the figures.
        self.player.workspace.ephemerals.clear()
        self.player.tally.acks.clear()

    async def advance(self, by: timedelta) -> None:
        """Let time pass for everybody."""
        await self.crew.advance(by)

    def relocate_by_hand(self, vm: str, site: str) -> str:
        """Let somebody else move a VM in the vSphere Client; the task's id."""
        return self.world[VCENTER].switches.relocate_vm(vm, site)

    @property
    def paged(self) -> Sequence[PagerIncident]:
        """What PagerDuty was told of, and how that stands."""
        return self.pager.board.incidents

    async def where(self, vm: str) -> Whereabouts:
        """Where the simulated vCenter itself has the VM."""
        vcenter = self.world[VCENTER]
        place = vcenter.placement(vm)
        return Whereabouts(place.site, place.host, place.datastore, vcenter.estate.vm(vm).power)


@asynccontextmanager
async def set_stage(
    folder: Path,
    *,
    redis_url: str,
    world: Path = WORLD,
    worker: Sequence[str] = (),
    amended: Mapping[str, str] = MappingProxyType({}),
    log_format: str = "text",
    command: Sequence[str] = COMMAND,
) -> AsyncIterator[Stage]:
    """Start players and roles in `folder`, which keeps config, certificates and the roles' logs.

    `worker`: options of the worker besides; `amended`: lines of the config that this play has otherwise.
    """
    clock = WorldClock()
    async with (
        await play_world(load_world(world), folder, clock=clock) as playing,
        _started(SlackPlayer(manifest=MANIFEST)) as player,
        _started(PagerDutyPlayer()) as pager,
    ):
        pager.on_call = list(ON_CALL)
        vcenter, syslog = playing[VCENTER], _free_port()
        config = write_config(folder, player, vcenter, amended=amended)
        _add(config, WATCHING.format(syslog=syslog, pager=pager.url, policy=POLICY))
        vcenter.switches.send_syslog(f"tcp://127.0.0.1:{syslog}", site="site1")
        roles = our_roles(
            ["--config", str(config), "--log-format", log_format],
            extra={"worker": ["--read-on", "4", *worker]},
            environment=_environment(player, vcenter, pager, redis_url),
            logs=folder,
            command=command,
        )
        async with SlackControl(player.control_url) as slack, Supervisor(roles) as supervisor:
            crew = Crew(supervisor, slack=player.switches, world=clock, redis_url=redis_url)
            yield Stage(slack, player, playing, pager, supervisor, crew)


@asynccontextmanager
async def _started(player: Player) -> AsyncIterator[Player]:
    await player.start()
    try:
        yield player
    finally:
        await player.stop()


def _free_port() -> int:
    """One that nobody has; it stays the same when the watcher that listens there is started again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def page_of(stage: Stage, *, port: int) -> PageServer:
    """The page of this stage; the caller starts and stops it."""
    return PageServer(stage.player, stage.world, stage.crew, manifest=MANIFEST, port=port)


def write_config(
    folder: Path, slack: SlackPlayer, vcenter: VCenterPlayer, *, amended: Mapping[str, str] = MappingProxyType({})
) -> Path:
    """Write the config of the stage: what `coldmigrate init` writes, with the addresses and people of the players."""
    path = folder / "coldmigrate.toml"
    path.write_text(_replaced(_config(slack, vcenter), amended.items()), encoding="utf-8")
    return path


def _add(config: Path, tables: str) -> None:
    with config.open("a", encoding="utf-8") as file:
        file.write(tables)


def _environment(slack: SlackPlayer, vcenter: VCenterPlayer, pager: PagerDutyPlayer, redis_url: str) -> dict[str, str]:
    return with_environment(
        {
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "VC_EAST_PASSWORD": vcenter.password,
            "PD_KEY": pager.routing_key,
            "PD_TOKEN": pager.api_token,
            "REDIS_URL": redis_url,
        }
    )


def _config(slack: SlackPlayer, vcenter: VCenterPlayer) -> str:
    changes = (
        ('url = "https://vc-east.example.net"', f'url = "{vcenter.url}"'),
        ('user = "svc-coldmigrate@vsphere.local"', f'user = "{vcenter.user}"'),
        ('# ca_file = "/etc/ssl/east-ca.pem"', f'ca_file = "{vcenter.ca_file}"'),
        ("[slack] ", f'[slack]\napi_url = "{slack.api_url}"\n# '),
        ('"group:S0123VMOPS", "user:U0456"', '"user:U0ALICE001", "user:U0BOB00001", "user:U0CAROL001"'),
        (
            "# [lists]                                 # VMs",
            "[lists]                                   # VMs",
        ),
        ('# web-tier = ["web01", "web02"]', 'web-tier = ["web01", "cache01", "mail01", "app01"]'),
        (
            '# channel = "C0789NFC"\n# mode = "observe" ',
            '[alerts]\nchannel = "C0NFCALERT"\nmode = "alert" ',
        ),
        ('"see"]      # and: "force", "power", "clean"', '"see", "force", "power", "clean", "alerts"]'),
        # Nothing here is anybody's: all may be tried.
        ("# [allow] ", "[allow] "),
        *((f"# {key} = true ", f"{key} = true ") for key in Allow.model_fields),
        # The simulated copies take seconds: nobody wants to wait half a minute for what a killed worker left.
        ("# [worker]\n# lease_seconds = 30 ", "[worker]\nlease_seconds = 10 "),
    )
    return _replaced(CONFIG, changes)


def _replaced(config: str, changes: Iterable[tuple[str, str]]) -> str:
    for theirs, ours in changes:
        if theirs not in config:
            raise AssertionError(f"the config of `init` no longer has {theirs!r}")
        config = config.replace(theirs, ours)
    return config
