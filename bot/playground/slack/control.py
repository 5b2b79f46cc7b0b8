"""The person's side for other processes: the same gestures as `person.Person`, over the control API."""

from __future__ import annotations

import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from bot.errors import UnreachableError, UserError
from bot.playground.slack.changes import Json
from bot.playground.slack.gestures import Value
from bot.playground.slack.outcome import Outcome
from bot.playground.slack.screen import PATIENCE

Answer = TypeVar("Answer")
POLL = timedelta(seconds=20)
# A gesture waits for the app's ack, a poll for a change; both end on the other side first.
HTTP_SECONDS = 40.0
AFTER_ALL = 2**53


class SlackControl:
    """An async context manager. UserError says what was wrong with a gesture; UnreachableError that nobody is there."""

    def __init__(self, control_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=control_url, timeout=HTTP_SECONDS, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    # Doing

    async def command(self, user: str, channel: str, line: str) -> Outcome:
        return _outcome(await self.ask("command", user=user, channel=channel, line=line))

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
        chosen = {"ts": ts, "action_id": action_id, "block_id": block_id, "value": value}
        return _outcome(await self.ask("click", user=user, channel=channel, **chosen))

    async def submit_view(self, user: str, view_id: str, values: Mapping[str, Any] | None = None) -> Outcome:
        return _outcome(await self.ask("submit-view", user=user, view_id=view_id, values=dict(values or {})))

    async def click_in_view(
        self, user: str, view_id: str, action_id: str, *, block_id: str | None = None, value: Value = None
    ) -> Outcome:
        chosen = {"action_id": action_id, "block_id": block_id, "value": value}
        return _outcome(await self.ask("click-in-view", user=user, view_id=view_id, **chosen))

    async def close_view(self, user: str, view_id: str, *, whole_stack: bool = False) -> Outcome:
        return _outcome(await self.ask("close-view", user=user, view_id=view_id, whole_stack=whole_stack))

    async def type_ahead(
        self,
        user: str,
        action_id: str,
        query: str,
        *,
        view_id: str | None = None,
        channel: str | None = None,
        ts: str | None = None,
        block_id: str | None = None,
    ) -> Json:
        where = {"view_id": view_id, "channel": channel, "ts": ts, "block_id": block_id}
        return await self.ask("type-ahead", user=user, action_id=action_id, query=query, **where)

    async def shortcut(self, user: str, callback_id: str) -> Outcome:
        return _outcome(await self.ask("shortcut", user=user, callback_id=callback_id))

    async def message_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Outcome:
        return _outcome(await self.ask("message-shortcut", user=user, channel=channel, ts=ts, callback_id=callback_id))

    async def react(self, user: str, channel: str, ts: str, emoji: str) -> bool:
        return bool((await self.ask("react", user=user, channel=channel, ts=ts, emoji=emoji))["stands"])

    async def open_home(self, user: str, *, tab: str = "home") -> None:
        await self.ask("open-home", user=user, tab=tab)

    async def post(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> str:
        said = await self.ask("post", user=user, channel=channel, text=text, thread_ts=thread_ts)
        return str(said["ts"])

    async def mention(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> str:
        said = await self.ask("mention", user=user, channel=channel, text=text, thread_ts=thread_ts)
        return str(said["ts"])

    async def upload(
        self, user: str, channel: str, name: str, content: bytes, *, comment: str = "", thread_ts: str | None = None
    ) -> Json:
        sent = {"name": name, "content": base64.b64encode(content).decode(), "comment": comment, "thread_ts": thread_ts}
        return dict((await self.ask("upload", user=user, channel=channel, **sent))["file"])

    async def download(self, user: str, file_id: str) -> tuple[str, bytes]:
        said = await self.ask("download", user=user, file_id=file_id)
        return str(said["name"]), base64.b64decode(said["content"])

    # Seeing

    async def history(self, channel: str) -> list[Json]:
        return list((await self.ask("history", channel=channel))["messages"])

    async def thread(self, channel: str, ts: str) -> list[Json]:
        return list((await self.ask("thread", channel=channel, ts=ts))["messages"])

    async def message(self, channel: str, ts: str) -> Json:
        return dict((await self.ask("message", channel=channel, ts=ts))["message"])

    async def ephemerals(self, user: str) -> list[Json]:
        return list((await self.ask("ephemerals", user=user))["messages"])

    async def views(self, user: str) -> list[Json]:
        return list((await self.ask("views", user=user))["views"])

    async def places(self) -> Json:
        """Team, users, channels and groups."""
        return await self.ask("places")

    async def names(self) -> dict[str, str]:
        """Ids to the names people know, as `render` wants them."""
        places = await self.places()
        groups = {group["id"]: group["handle"] for group in places["usergroups"]}
        named = {item["id"]: item["name"] for item in (*places["users"], *places["channels"]) if "name" in item}
        return named | groups

    async def statistics(self) -> Json:
        return await self.ask("statistics")

    async def traffic(self, *, since: int = 0) -> list[Json]:
        """What crossed the wire lately and has a number above `since`."""
        return list((await self.ask("traffic", since=since))["exchanges"])

    # Waiting

    async def wait_for_change(self, since: int, within: timedelta = POLL) -> tuple[int, list[Json]]:
        """The number of the newest change, and the changes after `since`: none if nothing happened in time."""
        answer = await self.ask("changes", since=since, seconds=within.total_seconds())
        return int(answer["last"]), list(answer["changes"])

    async def wait_for(self, predicate: Callable[[], Awaitable[Answer | None]], within: timedelta = PATIENCE) -> Answer:
        """The first true answer of `predicate`, asked now and after every change. TimeoutError after `within`."""
        deadline = time.monotonic() + within.total_seconds()
        seen = int((await self.ask("changes", since=AFTER_ALL, seconds=0))["last"])
        while not (answer := await predicate()):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"The workspace did not get there within {within.total_seconds():g} s.")
            seen, _ = await self.wait_for_change(seen, min(POLL, timedelta(seconds=left)))
        return answer

    async def ask(self, verb: str, **arguments: Any) -> Json:
        """Any verb of the control API, the switches too. Arguments that are None are left out."""
        sent = {name: value for name, value in arguments.items() if value is not None}
        try:
            answer = await self._http.post(verb, json=sent)
        except httpx.TransportError as error:
            raise UnreachableError(f"The simulated Slack does not answer at {self._http.base_url}: {error}.") from error
        said: Json = answer.json()
        if answer.is_error:
            raise UserError(said["error"])
        return said


def _outcome(said: Json) -> Outcome:
    return Outcome(ack=said["ack"], latency=said["latency"], error=said["error"], errors=said["errors"])
