"""The person in front of Slack: what they type, click and see. Each gesture says who makes it.

Users and channels may be given by id or by name ("alice", "#migrations"). What a client would not let a person do is
refused with UserError. Switches of the outside world are in `switches`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from bot.errors import UserError
from bot.playground.slack.changes import Json
from bot.playground.slack.content import as_stored, read_content
from bot.playground.slack.events import Events
from bot.playground.slack.files import LARGEST_FILE, Files
from bot.playground.slack.gestures import action_json, find_control, view_state
from bot.playground.slack.payloads import Installation
from bot.playground.slack.records import Channel, ChannelKind, Ephemeral, EphemeralSource, Message, User, View
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.response_urls import ResponseUrls
from bot.playground.slack.sockets import EnvelopeKind, SocketMode
from bot.playground.slack.tally import Ack, AckOutcome
from bot.playground.slack.triggers import Triggers
from bot.playground.slack.views import Views
from bot.playground.slack.workspace import Content, Workspace

Answer = TypeVar("Answer")
PATIENCE = timedelta(seconds=10)
ERRORS = {AckOutcome.TIMED_OUT: "operation_timeout", AckOutcome.NO_CONNECTION: "dispatch_failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a gesture: the payload of the app's ack, the seconds it took, the error shown to the person."""

    ack: Json | None = None
    latency: float = 0.0
    error: str | None = None

    @property
    def timed_out(self) -> bool:
        return self.error == ERRORS[AckOutcome.TIMED_OUT]

    @property
    def text(self) -> str:
        """The text that the ack itself carried, or nothing."""
        return str((self.ack or {}).get("text", ""))

    def to_json(self) -> Json:
        return {"ack": self.ack, "latency": self.latency, "error": self.error, "timed_out": self.timed_out}


class Person:
    """Everybody's keyboard and screen."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        sockets: SocketMode,
        events: Events,
        triggers: Triggers,
        response_urls: ResponseUrls,
        views: Views,
        files: Files,
    ) -> None:
        self._workspace = workspace
        self._sockets = sockets
        self._events = events
        self._triggers = triggers
        self._response_urls = response_urls
        self._views = views
        self._files = files
        self._installation = Installation(workspace.team, workspace.app)

    # Doing

    async def command(self, user: str, channel: str, line: str) -> Outcome:
        """Type a slash command, as in `"/coldmigrate web01 site2"`; the ack's text is shown to that person alone."""
        who, where = self._writer(user, channel)
        command, _, text = line.partition(" ")
        if not command.startswith("/"):
            raise UserError(f"{line!r} is not a slash command.", example="/coldmigrate help")
        known = self._workspace.app.commands
        if known is not None and command not in known:
            return self._failed(who, where, f"{command} is not a valid command.", error="invalid_command")
        payload = self._installation.command(
            user=who,
            channel=where,
            command=command,
            text=text.strip(),
            trigger_id=self._triggers.issue(who.id),
            response_url=self._response_urls.issue(who, where),
        )
        ack = await self._sockets.deliver(EnvelopeKind.COMMAND, payload, accepts_response=True)
        if ack.outcome is not AckOutcome.ACKED:
            error = ERRORS[ack.outcome]
            return self._failed(who, where, f'{command} failed with the error "{error}"', error=error, ack=ack)
        return self._show_command_ack(who, where, ack, command)

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: str | None = None,
    ) -> Outcome:
        """Use a button or a menu that stands in the message now. `value` tells buttons apart and chooses in a menu."""
        who, where = self._reader(user, channel)
        original = self._shown_to(who, where, ts)
        control = find_control(original.blocks, action_id, block_id=block_id, value=value)
        shown = original.to_json() if isinstance(original, Ephemeral) else self._workspace.message_json(original)
        payload = self._installation.block_actions(
            user=who,
            channel=where,
            message=shown,
            action=action_json(control, value, action_ts=self._workspace.new_ts()),
            trigger_id=self._triggers.issue(who.id),
            response_url=self._response_urls.issue(who, where, original=original),
        )
        if isinstance(original, Ephemeral):
            del payload["message"]  # Slack keeps ephemeral messages nowhere, so it cannot send one along
        return await self._interact(who, where, payload)

    async def submit_view(self, user: str, view_id: str, values: Mapping[str, str] | None = None) -> Outcome:
        """Fill in the inputs named by action_id and submit the modal; the ack may close, change or stack it."""
        who, view = self._open_view(user, view_id)
        state = view_state(view.content, values or {})
        payload = self._installation.view_submission(
            user=who, view=view, state=state, trigger_id=self._triggers.issue(who.id)
        )
        outcome = await self._interact(who, self._workspace.direct_channel(who.id), payload)
        if outcome.error is None:
            try:
                self._views.answer(view, outcome.ack or {})
            except ApiRefusalError as refusal:
                return replace(outcome, error=refusal.code)
        return outcome

    async def shortcut(self, user: str, callback_id: str) -> Outcome:
        """Run a global shortcut."""
        who = self._workspace.user(user)
        payload = self._installation.shortcut(
            user=who,
            callback_id=callback_id,
            trigger_id=self._triggers.issue(who.id),
            action_ts=self._workspace.new_ts(),
        )
        return await self._interact(who, self._workspace.direct_channel(who.id), payload)

    async def message_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Outcome:
        """Run a shortcut on a message. It reaches the app even where the bot is not a member."""
        who, where = self._reader(user, channel)
        message = self._message(where, ts)
        payload = self._installation.message_shortcut(
            user=who,
            channel=where,
            message=self._workspace.message_json(message),
            callback_id=callback_id,
            trigger_id=self._triggers.issue(who.id),
            action_ts=self._workspace.new_ts(),
            response_url=self._response_urls.issue(who, where, original=message),
        )
        return await self._interact(who, where, payload)

    def post(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> str:
        """Write a message and return its ts. The events it causes are delivered meanwhile."""
        who, where = self._writer(user, channel)
        if thread_ts is not None:
            self._message(where, thread_ts)
        return self._workspace.post(where, who, Content(text=text, blocks=_typed(text)), thread_ts=thread_ts).ts

    def mention(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> str:
        """Write a message that begins with the bot's name."""
        return self.post(user, channel, f"<@{self._workspace.app.bot_user}> {text}", thread_ts=thread_ts)

    def upload(
        self, user: str, channel: str, name: str, content: bytes, *, comment: str = "", thread_ts: str | None = None
    ) -> Json:
        """Drop a file into a conversation, perhaps with words; returns the file as the Web API shows it."""
        who, where = self._writer(user, channel)
        if thread_ts is not None:
            self._message(where, thread_ts)
        if not content:
            raise UserError(f"{name} is empty; Slack takes no empty files.")
        if len(content) > LARGEST_FILE:
            raise UserError(f"{name} has {len(content)} bytes; this Slack takes {LARGEST_FILE}.")
        file = self._files.keep(who, name, content)
        said = Content(text=comment, blocks=_typed(comment))
        self._workspace.post(where, who, said, thread_ts=thread_ts, files=[file])
        return file.with_shares()

    def download(self, user: str, file_id: str) -> tuple[str, bytes]:
        """Name and bytes of a file that this person can see."""
        who = self._workspace.user(user)
        file = self._files.find(file_id, seen_by=who)
        if file is None or file.content is None:
            raise UserError(f"{who.name} can see no file {file_id}.")
        return file.name, file.content

    def open_home(self, user: str) -> None:
        """Look at the app's Home tab."""
        self._events.home_opened(self._workspace.user(user))

    # Seeing

    def history(self, channel: str) -> list[Json]:
        """What stands in the channel, oldest first, as API messages with their metadata; replies are not in it."""
        where = self._channel(channel)
        return [self._shown(message) for message in where.messages.values() if message.in_channel_view]

    def thread(self, channel: str, ts: str) -> list[Json]:
        """The message and its replies, oldest first."""
        where = self._channel(channel)
        root = self._message(where, ts)
        return [self._shown(root), *(self._shown(where.messages[reply]) for reply in root.replies)]

    def message(self, channel: str, ts: str) -> Json:
        return self._shown(self._message(self._channel(channel), ts))

    def ephemerals(self, user: str) -> list[Json]:
        """What only this person was shown, oldest first; `source` says whether the app or Slackbot said it."""
        who = self._workspace.user(user)
        return [ephemeral.to_json() for ephemeral in self._workspace.ephemerals if ephemeral.user == who.id]

    def views(self, user: str) -> list[Json]:
        """The modals this person has open and their Home tab, oldest first."""
        who = self._workspace.user(user)
        app = self._workspace.app
        held = (view for view in self._workspace.views.values() if view.user == who.id and view.open)
        return [view.to_json(team_id=self._workspace.team.id, app=app) for view in held]

    async def wait_for(self, predicate: Callable[[], Answer], within: timedelta = PATIENCE) -> Answer:
        """The first true answer of `predicate`, asked now and after every change. TimeoutError after `within`."""
        return await self._workspace.changes.wait_for(predicate, within)

    # How

    def _channel(self, ref: str) -> Channel:
        """A channel, or a person's conversation with the bot when a user is named."""
        if ref.startswith(("@", "U")):
            return self._workspace.direct_channel(self._workspace.user(ref).id)
        return self._workspace.channel(ref)

    def _reader(self, user: str, channel: str) -> tuple[User, Channel]:
        who, where = self._workspace.user(user), self._channel(channel)
        if where.kind is not ChannelKind.PUBLIC and who.id not in where.members:
            raise UserError(f"{who.name} is not in {where.name} and cannot see it.")
        return who, where

    def _writer(self, user: str, channel: str) -> tuple[User, Channel]:
        who, where = self._reader(user, channel)
        if where.archived:
            raise UserError(f"#{where.name} is archived; nobody can write there.")
        return who, where

    def _message(self, where: Channel, ts: str) -> Message:
        if ts not in where.messages:
            raise UserError(f"There is no message {ts} in #{where.name}.")
        return where.messages[ts]

    def _shown_to(self, who: User, where: Channel, ts: str) -> Message | Ephemeral:
        for ephemeral in self._workspace.ephemerals:
            if ephemeral.ts == ts and ephemeral.user == who.id:
                return ephemeral
        return self._message(where, ts)

    def _shown(self, message: Message) -> Json:
        return self._workspace.message_json(message, with_metadata=True)

    def _open_view(self, user: str, view_id: str) -> tuple[User, View]:
        who = self._workspace.user(user)
        view = self._workspace.views.get(view_id)
        if view is None or not view.open or view.user != who.id:
            raise UserError(f"{who.name} has no open view {view_id}.")
        return who, view

    async def _interact(self, who: User, where: Channel, payload: Json) -> Outcome:
        answers = payload["type"] == "view_submission"
        ack = await self._sockets.deliver(EnvelopeKind.INTERACTIVE, payload, accepts_response=answers)
        if ack.outcome is AckOutcome.ACKED:
            return Outcome(ack=ack.payload, latency=ack.latency)
        error = ERRORS[ack.outcome]
        return self._failed(who, where, f"The app did not respond: {error}", error=error, ack=ack)

    def _failed(self, who: User, where: Channel, sentence: str, *, error: str, ack: Ack | None = None) -> Outcome:
        """Slackbot tells the person; nobody else learns of it, the app least of all."""
        self._workspace.whisper(where, who, Content(text=sentence), source=EphemeralSource.SLACKBOT)
        return Outcome(latency=ack.latency if ack else 0.0, error=error)

    def _show_command_ack(self, who: User, where: Channel, ack: Ack, command: str) -> Outcome:
        said = ack.payload or {}
        outcome = Outcome(ack=ack.payload, latency=ack.latency)
        if not said:
            return outcome
        try:
            content = read_content(said)
        except ApiRefusalError as refusal:
            self._failed(who, where, f'{command} failed with the error "invalid_command_response"', error=refusal.code)
            return replace(outcome, error=refusal.code)
        app = self._workspace.app
        self._workspace.said("message" if said.get("response_type") == "in_channel" else "ephemeral", said)
        if said.get("response_type") == "in_channel":
            self._workspace.post(where, self._workspace.users[app.bot_user], content, by_app=app)
        else:
            self._workspace.whisper(where, who, content, source=EphemeralSource.ACK)
        return outcome


def _typed(text: str) -> list[Json]:
    """What a client sends along with typed text."""
    if not text:
        return []
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return as_stored([{"type": "rich_text", "elements": [section]}])
