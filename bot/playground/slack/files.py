"""Files of the workspace: their way in, their way out, and who may have them. Methods are in `file_methods`.

Bytes come by the address that files.getUploadURLExternal hands out and leave by `url_private_download`.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.errors import UserError
from bot.playground.slack.calls import TokenKind
from bot.playground.slack.changes import ChangeKind
from bot.playground.slack.file_record import File
from bot.playground.slack.records import Channel, User
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.tokens import Tokens
from bot.playground.slack.workspace import Content, Workspace, make_id

UPLOAD_PATH = "/upload/v1/{secret}"
DOWNLOAD_PATHS = ("/files-pri/{file}/download/{name}", "/files-pri/{file}/{name}")
# Slack takes a gigabyte; these files live in memory. invented
LARGEST_FILE = 30 * 2**20
# completeUploadExternal answers before the message is there (slackapi/python-slack-sdk#1329).
SHARED_AFTER = timedelta(milliseconds=50)
LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head>"
    "<body><h1>Sign in to your workspace</h1></body></html>"
)


class Files:
    """All files. `origin` is where the server can be reached; known once it listens."""

    def __init__(self, workspace: Workspace, tokens: Tokens) -> None:
        self.origin = ""
        self.shared_after = SHARED_AFTER
        self._workspace = workspace
        self._tokens = tokens
        self._files: dict[str, File] = {}
        self._uploads: dict[str, File] = {}
        self._soon: set[asyncio.TimerHandle] = set()

    # In

    def reserve(self, user: User, name: str, length: int, *, alt_text: str = "") -> tuple[File, str]:
        """A file without bytes, and the address to which they must be posted."""
        file = self._make(user, name, length)
        file.alt_text = alt_text
        secret = secrets.token_urlsafe(32)
        self._uploads[secret] = file
        return file, self.origin + UPLOAD_PATH.format(secret=secret)

    async def receive(self, request: web.Request) -> web.Response:
        """The bytes of a reserved file, raw or as a form; they are taken once."""
        file = self._uploads.get(request.match_info["secret"])
        if file is None or file.content is not None:
            return web.Response(status=404, text="no such upload")
        content = await _posted_bytes(request)
        if len(content) != file.length:
            return web.Response(status=400, text=f"expected {file.length} bytes, got {len(content)}")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    def keep(self, user: User, name: str, content: bytes) -> File:
        """A file that a person's client has brought, all at once."""
        file = self._make(user, name, len(content))
        file.content = content
        return self.finish(file)

    def finish(self, file: File, *, title: str = "") -> File:
        """From now on it can be found."""
        file.title = title or file.title
        self._uploads = {secret: held for secret, held in self._uploads.items() if held is not file}
        self._files[file.id] = file
        return file

    def arrived(self, file_id: str) -> File:
        """A reserved file whose bytes are here. Refused as not found otherwise, and when it was finished before."""
        for file in self._uploads.values():
            if file.id == file_id and file.content is not None:
                return file
        raise ApiRefusalError("file_not_found")

    def share_soon(self, channel: Channel, content: Content, files: list[File], thread_ts: str | None) -> None:
        """The app's message with these files appears a moment from now, unless something has come between."""
        workspace = self._workspace
        bot = workspace.users[workspace.app.bot_user]

        def appear() -> None:
            self._soon.discard(handle)
            gone = thread_ts is not None and thread_ts not in channel.messages
            if not (gone or channel.archived):
                workspace.post(channel, bot, content, by_app=workspace.app, thread_ts=thread_ts, files=files)

        handle = asyncio.get_running_loop().call_later(self.shared_after.total_seconds(), appear)
        self._soon.add(handle)

    # Out

    def find(self, file_id: str, *, seen_by: User) -> File | None:
        """The file, if it is there and this user has it or is where it was shared."""
        file = self._files.get(file_id)
        if file is None or file.deleted or not self._visible(file, seen_by):
            return None
        return file

    def listed(self, *, seen_by: User) -> list[File]:
        """What this user can see, newest first."""
        return [file for file in reversed(self._files.values()) if self.find(file.id, seen_by=seen_by)]

    def spoil(self, file_id: str, **how: Any) -> None:
        """Give a file some of the oddities that real ones have. UserError for a file that is not there."""
        if file_id not in self._files:
            raise UserError(f"There is no file {file_id}.")
        file = self._files[file_id]
        file.oddities = replace(file.oddities, **how)

    def delete(self, file: File) -> None:
        """Its messages keep a tombstone."""
        file.deleted, file.content = True, b""
        for share in file.shares:
            self._workspace.changes.publish(ChangeKind.UPDATED, channel=share.channel, subject=share.ts)

    async def serve(self, request: web.Request) -> web.Response:
        """The bytes, for a bearer of a token that may have them; anybody else gets a login page, with 200."""
        file = self._asked_for(request)
        if file is None or file.content is None:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        if file.oddities.redirect:
            return web.Response(status=302, headers={"Location": file.oddities.redirect})
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=file.content, content_type=file.kind[2], headers=headers)

    def close(self) -> None:
        for handle in self._soon:
            handle.cancel()
        self._soon.clear()

    def _asked_for(self, request: web.Request) -> File | None:
        try:
            kind = self._tokens.kind(request.headers.get("Authorization", ""), "")
        except ApiRefusalError:
            return None
        app = self._workspace.app
        if kind is not TokenKind.BOT or "files:read" not in app.scopes:
            return None
        file_id = request.match_info["file"].rpartition("-")[2]
        return self.find(file_id, seen_by=self._workspace.users[app.bot_user])

    def _visible(self, file: File, user: User) -> bool:
        places = (self._workspace.channels.get(share.channel) for share in file.shares)
        return file.user == user.id or any(place is not None and user.id in place.members for place in places)

    def _make(self, user: User, name: str, length: int) -> File:
        return File(
            id=make_id("F"),
            user=user.id,
            name=name,
            title=name,
            created=int(self._workspace.clock.wall()),
            length=length,
            team_id=self._workspace.team.id,
            team_domain=self._workspace.team.domain,
            origin=self.origin,
        )


async def _posted_bytes(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for value in (await request.post()).values():
        return value.file.read() if isinstance(value, web.FileField) else str(value).encode()
    return b""
