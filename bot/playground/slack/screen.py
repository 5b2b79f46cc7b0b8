"""The screen in front of a person: what they can see, and which people, places and messages they can name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from bot.errors import UserError
from bot.playground.slack.changes import Json
from bot.playground.slack.files import Files
from bot.playground.slack.records import Channel, ChannelKind, Ephemeral, Message, User
from bot.playground.slack.workspace import Workspace

Answer = TypeVar("Answer")
PATIENCE = timedelta(seconds=10)


class Screen:
    """Users and channels may be given by id or by name ("alice", "#migrations")."""

    def __init__(self, workspace: Workspace, files: Files) -> None:
        self._workspace = workspace
        self._files = files

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

    def download(self, user: str, file_id: str) -> tuple[str, bytes]:
        """Name and bytes of a file that this person can see."""
        who = self._workspace.user(user)
        file = self._files.find(file_id, seen_by=who)
        if file is None or file.content is None:
            raise UserError(f"{who.name} can see no file {file_id}.")
        return file.name, file.content

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
