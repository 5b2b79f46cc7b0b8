"""Files that people put into Slack: what is known of them, and their bytes, from Slack's own file host alone.

The token is sent to no other host, no redirect is followed, and reading stops at the size that was allowed. What may
not live here: what is in a file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL  # aiohttp's own reading of an address: what is judged here is what is asked there

from bot.errors import OutsideError, UnreachableError, UserError
from bot.slack.client import SlackError, calling, pool_of
from bot.slack.plaintext import clean_clip
from bot.slack.port import FileGlance, SlackFiles

log = logging.getLogger(__name__)

IN_ALL: Final = timedelta(seconds=60)
"""For one download, however slowly it drips."""

_OK: Final = 200
_NAME: Final = 120
_CHUNK: Final = 64 * 1024
_GONE: Final = frozenset({"file_not_found", "file_deleted"})
_NOT_OURS: Final = frozenset({"access_denied", "file_not_visible", "no_permission", "not_visible"})
_UNSEEN: Final = "Slack does not let me read {name}: it belongs to another workspace, or to a conversation I am not in."


class WebFiles(SlackFiles):
    """Reads through the client's connection pool, with the client's token. The app's scope `files:read` is needed."""

    def __init__(self, client: AsyncWebClient, *, in_all: timedelta = IN_ALL) -> None:
        self._client = client
        self._in_all = in_all
        self._hosts = _file_hosts(URL(client.base_url))

    async def look(self, file_id: str, *, channel: str) -> FileGlance:
        try:
            with calling("files.info", about=file_id):
                file: Mapping[str, Any] = (await self._client.files_info(file=file_id))["file"]
        except SlackError as error:
            if error.code in _GONE:
                raise UserError("The file is not there any more, or I may not see it.") from error
            if error.code in _NOT_OURS:
                raise UserError(_UNSEEN.format(name="this file")) from error
            raise
        _require_kept(file)
        message, thread = _place(file, channel)
        url = str(file.get("url_private_download") or file.get("url_private") or "")
        return FileGlance(str(file["id"]), _name(file), int(file.get("size") or 0), url, message, thread)

    async def fetch(self, file: FileGlance, *, at_most: int) -> bytes:
        if file.size > at_most:
            raise _too_large(file.name, file.size, at_most)
        url = self._trusted(file)
        try:
            async with asyncio.timeout(self._in_all.total_seconds()):
                return await self._read(url, file, at_most)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(
                f"{file.name} could not be read from Slack ({error or type(error).__name__})."
            ) from error

    def _trusted(self, file: FileGlance) -> URL:
        """Where it is kept. OutsideError for an address that is not Slack's, or none at all."""
        try:
            url = URL(file.url)
            ours = url.origin() in self._hosts
        except ValueError:
            ours = False
        if not ours:
            raise OutsideError(f"{file.name} is not kept by Slack itself; my token is not sent there.", transient=False)
        return url

    async def _read(self, url: URL, file: FileGlance, at_most: int) -> bytes:
        bearer = {"Authorization": f"Bearer {self._client.token}"}
        async with pool_of(self._client).get(
            url,
            headers=bearer,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None),  # ours counts
            proxy=self._client.proxy,
            ssl=self._client.ssl or True,
        ) as answer:
            if answer.status >= 500:  # noqa: PLR2004 - HTTP's own border
                raise UnreachableError(f"Slack's file host has trouble with {file.name} (HTTP {answer.status}).")
            if answer.status != _OK or _is_sign_in(answer, file):
                raise OutsideError(
                    f"Slack's file host does not give {file.name} to me (HTTP {answer.status}). The app needs the "
                    "scope files:read; install it again from the manifest that `coldmigrate init` writes.",
                    transient=False,
                )
            data = bytearray()
            async for chunk in answer.content.iter_chunked(_CHUNK):
                data += chunk
                if len(data) > at_most:
                    raise _too_large(file.name, len(data), at_most)
            return bytes(data)


def _file_hosts(api: URL) -> frozenset[URL]:
    """Where Slack keeps files: beside its API, or at its API if that is a proxy or a demo's."""
    return frozenset({api.origin(), URL.build(scheme="https", host=f"files.{api.host}")})


def _require_kept(file: Mapping[str, Any]) -> None:
    """UserError for a file whose bytes Slack does not have for us."""
    name, mode = _name(file), str(file.get("mode") or "")
    if mode == "tombstone":
        raise UserError("The file was deleted.")
    if mode == "hidden_by_limit":
        raise UserError(f"Slack hides {name}: it is beyond the limits of the workspace's plan. Drop it again.")
    if file.get("is_external") or mode in ("external", "remote"):
        raise UserError(f"{name} is only a link to another service. Drop the file itself here.")
    if str(file.get("file_access") or "visible") != "visible":
        raise UserError(_UNSEEN.format(name=name))


def _place(file: Mapping[str, Any], channel: str) -> tuple[str, str]:
    """The newest message in the channel that carries it, and the thread of that."""
    families: Mapping[str, Mapping[str, Any]] = file.get("shares") or {}
    here = [share for family in families.values() for share in family.get(channel, ())]
    newest: Mapping[str, Any] = max(here, key=lambda share: str(share.get("ts") or ""), default={})
    return str(newest.get("ts") or ""), str(newest.get("thread_ts") or "")


def _name(file: Mapping[str, Any]) -> str:
    """What people call it, as it may stand in a sentence."""
    return clean_clip(str(file.get("name") or file.get("title") or "the file"), _NAME).strip() or "the file"


def _is_sign_in(answer: aiohttp.ClientResponse, file: FileGlance) -> bool:
    """Slack answers a token that may not read the file with a page for people, and calls that a success."""
    return answer.content_type == "text/html" and not file.name.lower().endswith((".html", ".htm"))


def _too_large(name: str, size: int, at_most: int) -> UserError:
    return UserError(
        f"{name} has {size / 1e6:.1f} MB, and there is room for {max(at_most, 0) / 1e6:.0f} MB. "
        "Pack it with gzip, or let the machine that has it read it, whatever its size.",
        example=f"coldmigrate diagnose {name}",
    )
