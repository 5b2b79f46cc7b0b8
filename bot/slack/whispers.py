"""Words for one person alone. Slack forgets them, so nothing that must arrive is said here."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.errors import OutsideError
from bot.slack.client import calling
from bot.slack.port import Whispers

log = logging.getLogger(__name__)

_OK: Final = 200


class WebWhispers(Whispers):
    """What cannot be said is worth a line in the log, and no error: nobody would mend it."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def whisper(
        self, user: str, channel: str, *, thread: str, text: str, blocks: Sequence[Mapping[str, Any]]
    ) -> None:
        try:
            with calling("chat.postEphemeral", about=channel):
                await self._client.chat_postEphemeral(
                    channel=channel,
                    user=user,
                    thread_ts=thread or None,
                    text=text,
                    blocks=[dict(block) for block in blocks],
                )
        except OutsideError as error:
            log.warning("%s Somebody was not told.", error)

    async def respond(self, response_url: str, message: Mapping[str, Any]) -> None:
        hook = AsyncWebhookClient(
            response_url, session=self._client.session, proxy=self._client.proxy, ssl=self._client.ssl
        )
        try:
            answer = await hook.send_dict({**message})
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("Somebody was not told, Slack does not answer: %s", error or type(error).__name__)
            return
        if answer.status_code != _OK:
            log.warning("Somebody was not told: HTTP %s %s", answer.status_code, answer.body)
