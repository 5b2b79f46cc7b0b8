"""The switches of the outside world: what an administrator, a network or Slack itself may do to the app.

What people do is in `person`. Everything here takes effect at once and can be taken back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.errors import UserError
from bot.playground.slack.calls import TokenKind
from bot.playground.slack.changes import Json
from bot.playground.slack.clock import Clock
from bot.playground.slack.deliveries import Deliveries
from bot.playground.slack.events import Events
from bot.playground.slack.faults import BreakDown, Fault, Faults, LoseReply, Refuse, Throttle
from bot.playground.slack.files import Files
from bot.playground.slack.http_mode import HttpMode
from bot.playground.slack.rates import RateLimits
from bot.playground.slack.records import ChannelKind
from bot.playground.slack.sockets import DisconnectReason, SocketMode
from bot.playground.slack.tally import Tally
from bot.playground.slack.tokens import Tokens
from bot.playground.slack.workspace import Workspace


class Switches:
    def __init__(
        self,
        *,
        workspace: Workspace,
        sockets: SocketMode,
        events: Events,
        tokens: Tokens,
        limits: RateLimits,
        faults: Faults,
        tally: Tally,
        clock: Clock,
        files: Files,
        deliveries: Deliveries,
        http: HttpMode,
    ) -> None:
        self._workspace = workspace
        self._sockets = sockets
        self._events = events
        self._tokens = tokens
        self._limits = limits
        self._faults = faults
        self._tally = tally
        self._clock = clock
        self._files = files
        self._deliveries = deliveries
        self._http = http

    # The administrator

    def archive(self, channel: str, *, archived: bool = True) -> None:
        self._workspace.archive(self._workspace.channel(channel), archived=archived)

    def restrict(self, channel: str, *, restricted: bool = True) -> None:
        """Only some people may post there; apps get restricted_action."""
        self._workspace.restrict(self._workspace.channel(channel), restricted=restricted)

    def invite_bot(self, channel: str) -> None:
        where = self._workspace.channel(channel)
        self._workspace.join(where, self._workspace.users[self._workspace.app.bot_user])

    def remove_bot(self, channel: str) -> None:
        where = self._workspace.channel(channel)
        self._workspace.leave(where, self._workspace.users[self._workspace.app.bot_user])

    def add_channel(self, name: str, *, private: bool = False, with_bot: bool = True) -> str:
        """A new channel with everybody in it; returns its id."""
        kind = ChannelKind.PRIVATE if private else ChannelKind.PUBLIC
        bot = self._workspace.app.bot_user
        members = [user for user in self._workspace.users if with_bot or user != bot]
        return self._workspace.add_channel(name, kind=kind, members=members).id

    def set_group(self, group: str, members: list[str]) -> None:
        """These people, and no others, are in the user group, which is named by id or handle."""
        found = [g for g in self._workspace.groups.values() if group.removeprefix("@") in {g.id, g.handle}]
        if not found:
            handles = ", ".join(f"@{g.handle}" for g in self._workspace.groups.values())
            raise UserError(f"There is no user group {group!r}: {handles}.")
        self._workspace.set_group(found[0], [self._workspace.user(member).id for member in members])

    def uninstall(self) -> None:
        """The app is thrown out of the workspace: told so once, then its token is nobody's."""
        self._events.uninstalled()
        self._tokens.revoke(TokenKind.BOT, error="account_inactive")

    def revoke_token(self, kind: TokenKind = TokenKind.BOT) -> None:
        """The app learns of it by an event, and by every call it makes from now on."""
        if kind is TokenKind.BOT:
            self._events.tokens_revoked()
        self._tokens.revoke(kind)

    def restore_token(self, kind: TokenKind = TokenKind.BOT) -> None:
        self._tokens.restore(kind)

    def grant(self, *scopes: str) -> None:
        self._workspace.app.scopes |= set(scopes)

    def deny(self, *scopes: str) -> None:
        self._workspace.app.scopes -= set(scopes)

    # Slack

    def rate_limits(self, *, enforced: bool) -> None:
        self._limits.enforced = enforced

    def next_answers(self, method: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` calls of `method` fail like this."""
        self._faults.plan(method, fault, times=times)

    def reject_next(self, n: int, method: str, retry_after: int = 1) -> None:
        """Answer the next `n` calls of `method` with 429, whatever the limits say."""
        self.next_answers(method, Throttle(retry_after), times=n)

    def no_more_faults(self) -> None:
        self._faults.clear()

    def ack_deadline(self, deadline: timedelta) -> None:
        """How long the app may take to ack; three seconds in the real world."""
        self._sockets.ack_deadline = self._http.ack_deadline = deadline

    def event_retries(self, *after: timedelta) -> None:
        """How long to wait before each repetition of an event that was not acked."""
        self._events.retry_after = after

    def deliver_each(self, times: int) -> None:
        """Deliver every envelope this often. Copies of events say that they are retries; the others say nothing."""
        if times < 1:
            raise UserError("Every envelope is delivered at least once.", example="deliver_each(3)")
        self._deliveries.copies = times - 1

    async def request_url(self, url: str | None) -> None:
        """Deliver by signed HTTP requests to `url` instead of Socket Mode; None goes back.

        UserError if the app there does not pass Slack's url_verification.
        """
        if url is None:
            await self._http.close()
        else:
            await self._http.verify(url)

    def disconnect_every(self, period: timedelta | None) -> None:
        """Refresh all connections again and again, as Slack does every few hours; None ends it."""
        self._sockets.refresh_every(period)

    def share_files_after(self, moment: timedelta) -> None:
        """How long after files.completeUploadExternal the message appears."""
        self._files.shared_after = moment

    def spoil_file(self, file_id: str, **how: Any) -> None:
        """What may be wrong with a file, by the names of `file_record.Oddities`: foreign=True, link="https://..."."""
        self._files.spoil(file_id, **how)

    def advance(self, by: timedelta) -> None:
        """Move the workspace's clock: rate limits, trigger ids and response_urls age by it."""
        self._clock.advance(by)

    # The network

    @property
    def connections(self) -> int:
        return len(self._sockets.connections)

    async def disconnect(self, reason: DisconnectReason, *, number: int | None = None) -> int:
        """Send a disconnect frame, to all connections or to one; returns how many were told."""
        return await self._sockets.disconnect(reason, number=number)

    def cut(self, *, number: int | None = None) -> int:
        """End connections without a word; returns how many."""
        return self._sockets.cut(number=number)

    def loads(self) -> list[Json]:
        """How many envelopes each connection has had."""
        return [{"number": one.number, "envelopes": len(one.envelopes)} for one in self._sockets.connections]

    def statistics(self) -> Json:
        """Everything counted and measured so far, as JSON."""
        return self._tally.to_json(self._workspace.traffic) | {"connections": self.loads()}


def make_fault(kind: str, *, error: str = "fatal_error", retry_after: int = 1, status: int = 503) -> Fault:
    """A fault from words, as the control API takes them."""
    made: dict[str, Fault] = {
        "refuse": Refuse(error),
        "throttle": Throttle(retry_after),
        "break-down": BreakDown(status),
        "lose-reply": LoseReply(),
    }
    if kind not in made:
        raise UserError(f"There is no fault {kind!r}; there are: {', '.join(made)}.")
    return made[kind]
