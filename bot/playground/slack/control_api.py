"""The person's side and the switches over HTTP, for other processes on this machine. Verbs in, JSON out.

Every verb takes its arguments from the query or from a JSON object. A mistake of the caller is a 400 with a sentence.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import timedelta

from aiohttp import web

from bot.errors import UserError
from bot.playground.loopback import is_this_machine
from bot.playground.slack.changes import Json
from bot.playground.slack.control_verbs import Verb, gesture_verbs, screen_verbs, switch_verbs
from bot.playground.slack.person import Person
from bot.playground.slack.switches import Switches
from bot.playground.slack.wiretap import Wiretap
from bot.playground.slack.workspace import Workspace

PREFIX = "/_control/"
LONGEST_POLL = timedelta(seconds=30)


class ControlApi:
    def __init__(self, *, workspace: Workspace, person: Person, switches: Switches, wiretap: Wiretap) -> None:
        self._wiretap = wiretap
        self._workspace = workspace
        self._verbs: Mapping[str, Verb] = (
            gesture_verbs(person) | screen_verbs(person) | switch_verbs(switches) | self._own_verbs()
        )

    async def handle(self, request: web.Request) -> web.Response:
        if not is_this_machine(request.host):
            return web.json_response({"error": "Only this machine may use the control API."}, status=403)
        verb = self._verbs.get(request.match_info["verb"])
        if verb is None:
            return web.json_response({"error": f"Unknown verb; there are: {', '.join(self._verbs)}."}, status=404)
        try:
            answer = verb(await _arguments(request))
            if inspect.isawaitable(answer):
                answer = await answer
        except KeyError as missing:
            return web.json_response({"error": f"The argument {missing} is missing."}, status=400)
        except (UserError, ValueError) as mistake:
            return web.json_response({"error": str(mistake)}, status=400)
        return web.json_response({} if answer is None else answer)

    def _own_verbs(self) -> dict[str, Verb]:
        return {
            "changes": self._changes,
            "places": lambda _: self._places(),
            "traffic": lambda sent: {"exchanges": self._wiretap.exchanges(since=int(sent.get("since", 0)))},
        }

    async def _changes(self, sent: Json) -> Json:
        """Changes newer than `since`; waits up to `seconds` for the first one."""
        within = min(timedelta(seconds=float(sent.get("seconds", 20))), LONGEST_POLL)
        found = await self._workspace.changes.wait_after(int(sent.get("since", 0)), within)
        return {"last": self._workspace.changes.last, "changes": [change.to_json() for change in found]}

    def _places(self) -> Json:
        """Who and what is there: what a client needs before it shows anything."""
        workspace = self._workspace
        bot = workspace.app.bot_user
        return {
            "team": workspace.team.to_json(),
            "bot_user": bot,
            "users": [user.to_json() for user in workspace.users.values()],
            "channels": [channel.to_json(seen_by=bot) for channel in workspace.channels.values()],
            "usergroups": [group.to_json(with_users=True) for group in workspace.groups.values()],
        }


async def _arguments(request: web.Request) -> Json:
    sent: Json = dict(request.query)
    if request.can_read_body:
        body = await request.json()
        if not isinstance(body, dict):
            raise UserError("The body must be a JSON object.")
        sent |= body
    return sent
