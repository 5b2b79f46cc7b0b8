"""The peer of our bot: as little as Bolt allows. It answers /coldmigrate with what was typed, and does nothing else.

Run as `python -m tests.bench.echo_bot API_URL`, with APP_TOKEN and BOT_TOKEN in the environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient


async def main(api_url: str) -> None:
    app = AsyncApp(client=AsyncWebClient(os.environ["BOT_TOKEN"], base_url=api_url))  # noqa: TID251 - a stranger

    @app.command("/coldmigrate")
    async def echo(ack: AsyncAck, command: dict[str, Any]) -> None:
        await ack(f"You said: {command['text']}")

    await AsyncSocketModeHandler(app, os.environ["APP_TOKEN"]).start_async()  # type: ignore[no-untyped-call] # noqa: TID251


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
