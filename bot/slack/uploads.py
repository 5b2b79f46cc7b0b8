"""A text as a file in a thread, in Slack's three steps. What may be repeated and what may not is told apart here."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import UnreachableError
from bot.slack.client import calling, pool_of
from bot.slack.records import Record

_OK = 200


async def share(
    client: AsyncWebClient, record: Record, data: bytes, *, name: str, reached: Callable[[str], None]
) -> str:
    """The file's id. Until the last step nobody sees anything; only that one may leave MaybeSentError behind."""
    with calling("files.getUploadURLExternal", about=record.channel):
        place = await client.files_getUploadURLExternal(filename=name, length=len(data), **_looks(record))
    reached("file-reserved")
    await _upload(client, str(place["upload_url"]), data)
    reached("file-uploaded")
    with calling("files.completeUploadExternal", about=record.channel, changes=True):
        await client.files_completeUploadExternal(
            files=[{"id": str(place["file_id"]), "title": record.title or name}],
            channel_id=record.channel,
            thread_ts=record.under or None,
        )
    reached("after-file")
    return str(place["file_id"])


def _looks(record: Record) -> dict[str, str]:
    """A text that did not fit is shown as one; what was attached is shown as Slack shows its kind."""
    if not record.file:
        return {"snippet_type": "text"}
    return {"alt_txt": record.alt} if record.alt else {}


async def _upload(client: AsyncWebClient, url: str, data: bytes) -> None:
    session = pool_of(client)
    try:
        async with session.post(url, data=data, proxy=client.proxy, ssl=client.ssl or True) as answer:
            if answer.status != _OK:
                raise UnreachableError(f"Slack did not take the bytes of a file: HTTP {answer.status}.")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise UnreachableError(f"The bytes of a file did not reach Slack ({error or type(error).__name__}).") from error
