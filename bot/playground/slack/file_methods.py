"""files.*: uploads in Slack's three steps, and looking at what is there. The bytes themselves travel in `files`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.playground.slack.calls import Call, Method
from bot.playground.slack.changes import Json
from bot.playground.slack.content import decoded, read_content
from bot.playground.slack.file_record import File
from bot.playground.slack.files import LARGEST_FILE, Files
from bot.playground.slack.records import Channel
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.workspace import Content

MOST_CHANNELS = 100
ALT_TEXT = 1000
PAGE = 100


class FileMethods:
    """The methods need the files beside the workspace, so they are bound to them."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def methods(self) -> Mapping[str, Method]:
        write, read = ("files:write",), ("files:read",)
        return {
            "files.getUploadURLExternal": Method(run=self.reserve, scopes=write),
            "files.completeUploadExternal": Method(run=self.complete, scopes=write),
            "files.delete": Method(run=self.delete, scopes=write),
            "files.info": Method(run=self.info, scopes=read),
            "files.list": Method(run=self.list, scopes=read),
        }

    def reserve(self, call: Call) -> Json:
        name = call.text("filename")
        length = call.number("length", default=0, at_most=2**62)
        if not length:
            raise ApiRefusalError("invalid_arguments", messages=["missing required field: length"])
        if length > LARGEST_FILE:
            raise ApiRefusalError("file_upload_size_restricted")
        alt_text = call.optional("alt_txt") or ""
        if len(alt_text) > ALT_TEXT:
            raise ApiRefusalError("alt_txt_too_large")
        file, url = self._files.reserve(call.bot, name, length, alt_text=alt_text)
        return {"upload_url": url, "file_id": file.id}

    def complete(self, call: Call) -> Json:
        """All or nothing: the files are finished only if every one is here and every channel may be posted to."""
        wanted = _wanted(call)
        channels = _channels(call)
        content = _comment(call)
        thread_ts = _thread(call, channels)
        arrived = [(self._files.arrived(file_id), title) for file_id, title in wanted]
        finished = [self._files.finish(file, title=title) for file, title in arrived]
        for channel in channels:
            self._files.share_soon(channel, content, finished, thread_ts)
        if channels and (content.text or content.blocks):
            call.workspace.said("message", call.arguments)
        return {"files": [file.with_shares() for file in finished]}

    def info(self, call: Call) -> Json:
        file = self._found(call)
        return {"file": file.with_shares(), "comments": [], "response_metadata": {"next_cursor": ""}}

    def list(self, call: Call) -> Json:
        """Newest first, by pages that are counted from 1 as files.list alone still does."""
        shown = [file for file in self._files.listed(seen_by=call.bot) if _asked_for(call, file)]
        size = call.number("count", default=PAGE, at_most=1000)
        page = max(1, call.number("page", default=1, at_most=2**31))
        first = (page - 1) * size
        paging = {"count": size, "total": len(shown), "page": page, "pages": -(-len(shown) // size)}
        return {"files": [file.with_shares() for file in shown[first : first + size]], "paging": paging}

    def delete(self, call: Call) -> Json:
        file = self._found(call)
        if file.user != call.bot.id:
            raise ApiRefusalError("cant_delete_file")
        self._files.delete(file)
        return {}

    def _found(self, call: Call) -> File:
        file = self._files.find(call.text("file"), seen_by=call.bot)
        if file is None:
            raise ApiRefusalError("file_not_found")
        return file


def _wanted(call: Call) -> list[tuple[str, str]]:
    """Ids and titles of the files to finish."""
    sent: Any = decoded(call.arguments.get("files"), otherwise="invalid_arguments")
    if not isinstance(sent, list) or not sent or not all(isinstance(one, dict) and "id" in one for one in sent):
        raise ApiRefusalError("invalid_arguments", messages=["missing required field: files"])
    return [(str(one["id"]), str(one.get("title") or "")) for one in sent]


def _channels(call: Call) -> list[Channel]:
    """Where to share; nowhere is allowed and leaves the files private. Ids only, unlike chat.postMessage."""
    named = [call.optional("channel_id") or "", *(call.optional("channels") or "").split(",")]
    refs = list(dict.fromkeys(ref.strip() for ref in named if ref.strip()))
    if len(refs) > MOST_CHANNELS:
        raise ApiRefusalError("channels_limit_exceeded")
    return [_channel(call, ref) for ref in refs]


def _channel(call: Call, ref: str) -> Channel:
    if ref in call.workspace.users and ref != call.bot.id:
        return call.workspace.direct_channel(ref)
    channel = call.visible(call.workspace.channels.get(ref))
    if channel.archived:
        raise ApiRefusalError("is_archived")
    if call.bot.id not in channel.members:
        raise ApiRefusalError("not_in_channel")
    return channel


def _comment(call: Call) -> Content:
    """What the message says beside its files; blocks count only where there is no comment."""
    comment = call.optional("initial_comment")
    if comment is not None:
        return read_content({"text": comment})
    return read_content({"blocks": call.arguments["blocks"]}) if call.optional("blocks") else Content()


def _thread(call: Call, channels: list[Channel]) -> str | None:
    thread_ts = call.optional("thread_ts")
    if thread_ts is not None and any(thread_ts not in channel.messages for channel in channels):
        raise ApiRefusalError("thread_not_found")
    return thread_ts


def _asked_for(call: Call, file: File) -> bool:
    """The filters of files.list."""
    channel, user = call.optional("channel"), call.optional("user")
    return (channel is None or any(share.channel == channel for share in file.shares)) and user in {None, file.user}
