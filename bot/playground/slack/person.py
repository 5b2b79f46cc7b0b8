"""The person in front of Slack: what they type, click and see. Each gesture says who makes it.

Users and channels may be given by id or by name ("alice", "#migrations"). What a client would not let a person do is
refused with UserError. What they see is in `screen`, modals are in `view_gestures`, switches of the outside world in
`switches`.
"""

from __future__ import annotations

from dataclasses import replace

from bot.errors import UserError
from bot.playground.slack.changes import Json
from bot.playground.slack.content import read_content
from bot.playground.slack.events import Events
from bot.playground.slack.files import LARGEST_FILE, Files
from bot.playground.slack.gestures import Value, action_json, find_control
from bot.playground.slack.interactions import Interactions
from bot.playground.slack.outcome import ERRORS, Outcome
from bot.playground.slack.records import Channel, Ephemeral, EphemeralSource, User
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.response_urls import ResponseUrls
from bot.playground.slack.tally import Ack, AckOutcome
from bot.playground.slack.triggers import Triggers
from bot.playground.slack.typed import typed_blocks
from bot.playground.slack.view_gestures import ViewGestures
from bot.playground.slack.views import Views
from bot.playground.slack.workspace import Content, Workspace, emoji_name


class Person(ViewGestures):
    """Everybody's keyboard and screen."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        interactions: Interactions,
        events: Events,
        triggers: Triggers,
        response_urls: ResponseUrls,
        views: Views,
        files: Files,
    ) -> None:
        super().__init__(
            workspace=workspace,
            interactions=interactions,
            triggers=triggers,
            response_urls=response_urls,
            views=views,
            files=files,
        )
        self._events = events

    async def command(self, user: str, channel: str, line: str) -> Outcome:
        """Type a slash command, as in `"/coldmigrate web01 site2"`; the ack's text is shown to that person alone."""
        who, where = self._writer(user, channel)
        command, _, text = line.partition(" ")
        if not command.startswith("/"):
            raise UserError(f"{line!r} is not a slash command.", example="/coldmigrate help")
        known = self._workspace.app.commands
        if known is not None and command not in known:
            self._interactions.complain(who, where, f"{command} is not a valid command.")
            return Outcome(error="invalid_command")
        payload = self._installation.command(
            user=who,
            channel=where,
            command=command,
            text=text.strip(),
            trigger_id=self._triggers.issue(who.id),
            response_url=self._response_urls.issue(who, where),
        )
        ack = await self._interactions.command(payload)
        if ack.outcome is not AckOutcome.ACKED:
            error = ERRORS[ack.outcome]
            self._interactions.complain(who, where, f'{command} failed with the error "{error}"')
            return Outcome(latency=ack.latency, error=error)
        return self._show_command_ack(who, where, ack, command)

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: Value = None,
    ) -> Outcome:
        """Use a button or a menu that stands in the message now. `value` tells buttons apart and chooses in a menu."""
        who, where = self._reader(user, channel)
        original = self._shown_to(who, where, ts)
        place, blocks, surface = self._in_message(who, where, ts)
        control = find_control(blocks, action_id, block_id=block_id, value=value if isinstance(value, str) else None)
        action = action_json(
            control, value, action_ts=self._workspace.new_ts(), offered=self._client.offered(who.id, place, control)
        )
        self._client.use(who.id, place, control, value)
        if not control.speaks:
            return Outcome()
        payload = self._installation.message_actions(
            user=who,
            surface=surface,
            state=self._client.values(who.id, place, blocks),
            action=action,
            trigger_id=self._triggers.issue(who.id),
            response_url=self._response_urls.issue(who, where, original=original),
        )
        if isinstance(original, Ephemeral):
            del payload["message"]  # Slack keeps ephemeral messages nowhere, so it cannot send one along
        return await self._interactions.send(who, where, payload)

    async def shortcut(self, user: str, callback_id: str) -> Outcome:
        """Run a global shortcut."""
        who = self._workspace.user(user)
        payload = self._installation.shortcut(
            user=who,
            callback_id=callback_id,
            trigger_id=self._triggers.issue(who.id),
            action_ts=self._workspace.new_ts(),
        )
        return await self._interactions.send(who, self._home(who), payload)

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
        return await self._interactions.send(who, where, payload)

    def post(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> str:
        """Write a message and return its ts. The events it causes are delivered meanwhile."""
        who, where = self._writer(user, channel)
        if thread_ts is not None:
            self._message(where, thread_ts)
        return self._workspace.post(where, who, Content(text=text, blocks=typed_blocks(text)), thread_ts=thread_ts).ts

    def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        """Change what one wrote. Somebody else's message is refused."""
        who, where = self._writer(user, channel)
        message = self._message(where, ts)
        if message.user != who.id:
            raise UserError(f"This is not {who.name}'s message.")
        self._workspace.update(where, message, Content(text=text, blocks=typed_blocks(text)))

    def delete_file(self, user: str, file_id: str) -> None:
        """Take back a file. Somebody else's is refused."""
        who = self._workspace.user(user)
        file = self._files.find(file_id, seen_by=who)
        if file is None or file.user != who.id:
            raise UserError(f"{who.name} has no file {file_id}.")
        self._files.delete(file)

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
        said = Content(text=comment, blocks=typed_blocks(comment))
        self._workspace.post(where, who, said, thread_ts=thread_ts, files=[file])
        return file.with_shares()

    def react(self, user: str, channel: str, ts: str, emoji: str) -> bool:
        """React to a message, or take the reaction back if it was there; True if it stands now."""
        who, where = self._writer(user, channel)
        message = self._message(where, ts)
        name = emoji_name(emoji)
        if name is None:
            raise UserError(f"{emoji!r} is no emoji.", example=":eyes:")
        if self._workspace.react(message, who, name):
            return True
        self._workspace.unreact(message, who, name)
        return False

    def open_home(self, user: str, *, tab: str = "home") -> None:
        """Look at the app's Home tab, or at its messages."""
        self._events.home_opened(self._workspace.user(user), tab)

    def _show_command_ack(self, who: User, where: Channel, ack: Ack, command: str) -> Outcome:
        said = ack.payload or {}
        outcome = Outcome(ack=ack.payload, latency=ack.latency)
        if not said:
            return outcome
        try:
            content = read_content(said)
        except ApiRefusalError as refusal:
            self._interactions.complain(who, where, f'{command} failed with the error "invalid_command_response"')
            return replace(outcome, error=refusal.code)
        app = self._workspace.app
        if said.get("response_type") == "in_channel":
            self._workspace.said("message", said)
            self._workspace.post(where, self._workspace.users[app.bot_user], content, by_app=app)
        else:
            self._workspace.said("ephemeral", said)
            self._workspace.whisper(where, who, content, source=EphemeralSource.ACK)
        return outcome
