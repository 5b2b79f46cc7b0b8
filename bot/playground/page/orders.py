"""The switches of the world, as the page has them: each order goes to the player or stagehand that can carry it out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import assert_never

from bot.errors import UserError
from bot.playground.page import said
from bot.playground.page.stagehands import Stagehands
from bot.playground.slack.player import SlackPlayer
from bot.playground.slack.sockets import DisconnectReason
from bot.playground.vcenter.links import Closed
from bot.playground.vcenter.player import RunningWorld, VCenterPlayer

THRICE = 3
POSTING = ("chat.postMessage", "chat.update")


class Orders:
    """`down` is told which vCenters are off. `changed` is called after each order: not every switch can be heard."""

    def __init__(
        self,
        slack: SlackPlayer,
        world: RunningWorld,
        stagehands: Stagehands,
        *,
        down: set[str],
        changed: Callable[[], None],
    ) -> None:
        self._slack = slack
        self._world = world
        self._stagehands = stagehands
        self._down = down
        self._changed = changed
        self._thrice_until = 0

    async def carry_out(self, order: said.WorldOrder) -> None:
        """Refused with UserError when a name is not there."""
        try:
            await self._do(said.args_of(order))
        except KeyError as unknown:
            raise UserError(f"That is not in this world: {unknown.args[0]}.") from unknown
        finally:
            self._changed()

    def slack_moved(self) -> None:
        """To be called after every change in Slack: what was asked for the next few deliveries ends here."""
        if self._thrice_until and len(self._slack.tally.acks) >= self._thrice_until:
            self._thrice_until = 0
            self._slack.switches.deliver_each(1)

    async def _do(self, args: said.WorldArgs) -> None:  # noqa: C901 - one line per order
        match args:
            case said.LinkArgs():
                rtt = None if args.rtt is None else timedelta(seconds=args.rtt)
                switches = self._any().switches
                switches.set_link(*args.between, loss=args.loss, rate=args.rate, rtt=rtt, mtu=args.mtu)
            case said.BlockArgs():
                how = Closed(args.how)
                switches = self._any().switches
                switches.block_port(args.from_, args.to, port=args.port, blocked=args.blocked, how=how)
            case said.FillArgs():
                owner = self._owner(lambda player: player.datastore(args.datastore))
                owner.switches.fill_datastore(args.datastore, free=args.free)
            case said.HostArgs():
                owner = self._owner(lambda player: player.estate.host(args.host))
                owner.switches.set_host(args.host, connected=args.connected, maintenance=args.maintenance)
            case said.RelocateArgs():
                owner = self._owner(lambda player: player.estate.vm(args.vm))
                owner.switches.relocate_vm(args.vm, args.site)
            case said.ExpireArgs():
                for player in self._named(args.vcenter):
                    player.switches.expire_sessions()
            case said.VCenterArgs():
                await self._listen(args.vcenter, up=args.up)
            case said.KillArgs():
                self._stagehands.kill(args.role)
            case said.AdvanceArgs():
                await self._stagehands.advance(timedelta(seconds=args.seconds))
            case said.SlackArgs():
                await self._disturb(args)
            case _:
                assert_never(args)

    async def _listen(self, vcenter: str, *, up: bool) -> None:
        (player,) = self._named(vcenter)
        if up and vcenter in self._down:
            await player.switches.come_up()
            self._down.discard(vcenter)
        elif not up and vcenter not in self._down:
            self._down.add(vcenter)
            await player.switches.go_down()

    async def _disturb(self, args: said.SlackArgs) -> None:
        switches = self._slack.switches
        match args.what:
            case "disconnect":
                await switches.disconnect(DisconnectReason.REFRESH)
            case "429":
                for method in POSTING:
                    switches.reject_next(args.times, method)
            case "thrice":
                self._thrice_until = len(self._slack.tally.acks) + THRICE * args.times
                switches.deliver_each(THRICE)

    def _any(self) -> VCenterPlayer:
        """Links belong to the universe, so every vCenter has their switches."""
        return next(iter(self._world.players.values()))

    def _named(self, vcenter: str | None) -> list[VCenterPlayer]:
        if vcenter is None:
            return list(self._world.players.values())
        if vcenter not in self._world.players:
            raise UserError(f"There is no vCenter {vcenter!r}; there are: {', '.join(self._world.players)}.")
        return [self._world[vcenter]]

    def _owner(self, asked: Callable[[VCenterPlayer], object]) -> VCenterPlayer:
        """The vCenter that knows the answer. KeyError, as the last one puts it, if none does."""
        *others, last = self._world.players.values()
        for player in others:
            try:
                asked(player)
            except KeyError:
                continue
            return player
        asked(last)
        return last
