"""The person's side and the switches over HTTP, for other processes on this machine. Verbs in, JSON out.

Every verb takes its arguments from the query or from a JSON object. A mistake of the caller is a 400 with a sentence.
"""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.errors import UserError
from bot.playground.slack.calls import TokenKind
from bot.playground.slack.changes import Json
from bot.playground.slack.person import Person
from bot.playground.slack.sockets import DisconnectReason
from bot.playground.slack.switches import Switches, make_fault
from bot.playground.slack.workspace import Workspace

PREFIX = "/_control/"
LONGEST_POLL = timedelta(seconds=30)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Verb = Callable[[Json], Any]


class ControlApi:
    def __init__(self, *, workspace: Workspace, person: Person, switches: Switches) -> None:
        self._workspace = workspace
        self._verbs: Mapping[str, Verb] = (
            _gestures(person) | _views_of(person) | _switch_verbs(switches) | self._own_verbs()
        )

    async def handle(self, request: web.Request) -> web.Response:
        if not _from_this_machine(request):
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
        return {"changes": self._changes, "places": lambda _: self._places()}

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


def _gestures(person: Person) -> dict[str, Verb]:
    async def command(sent: Json) -> Json:
        return (await person.command(sent["user"], sent["channel"], sent["line"])).to_json()

    async def click(sent: Json) -> Json:
        outcome = await person.click(
            sent["user"],
            sent["channel"],
            str(sent["ts"]),
            sent["action_id"],
            block_id=sent.get("block_id"),
            value=sent.get("value"),
        )
        return outcome.to_json()

    async def submit_view(sent: Json) -> Json:
        return (await person.submit_view(sent["user"], sent["view_id"], sent.get("values") or {})).to_json()

    async def shortcut(sent: Json) -> Json:
        return (await person.shortcut(sent["user"], sent["callback_id"])).to_json()

    async def message_shortcut(sent: Json) -> Json:
        outcome = await person.message_shortcut(sent["user"], sent["channel"], str(sent["ts"]), sent["callback_id"])
        return outcome.to_json()

    def post(sent: Json) -> Json:
        return {"ts": person.post(sent["user"], sent["channel"], sent["text"], thread_ts=sent.get("thread_ts"))}

    def mention(sent: Json) -> Json:
        return {"ts": person.mention(sent["user"], sent["channel"], sent["text"], thread_ts=sent.get("thread_ts"))}

    def upload(sent: Json) -> Json:
        file = person.upload(
            sent["user"],
            sent["channel"],
            sent["name"],
            base64.b64decode(sent["content"], validate=True),
            comment=sent.get("comment", ""),
            thread_ts=sent.get("thread_ts"),
        )
        return {"file": file}

    def download(sent: Json) -> Json:
        name, content = person.download(sent["user"], sent["file_id"])
        return {"name": name, "content": base64.b64encode(content).decode()}

    return {
        "upload": upload,
        "download": download,
        "command": command,
        "click": click,
        "submit-view": submit_view,
        "shortcut": shortcut,
        "message-shortcut": message_shortcut,
        "post": post,
        "mention": mention,
        "open-home": lambda sent: person.open_home(sent["user"]),
    }


def _views_of(person: Person) -> dict[str, Verb]:
    return {
        "history": lambda sent: {"messages": person.history(sent["channel"])},
        "thread": lambda sent: {"messages": person.thread(sent["channel"], str(sent["ts"]))},
        "message": lambda sent: {"message": person.message(sent["channel"], str(sent["ts"]))},
        "ephemerals": lambda sent: {"messages": person.ephemerals(sent["user"])},
        "views": lambda sent: {"views": person.views(sent["user"])},
    }


def _switch_verbs(switches: Switches) -> dict[str, Verb]:
    async def disconnect(sent: Json) -> Json:
        reason = DisconnectReason(sent.get("reason", DisconnectReason.REFRESH.value))
        return {"told": await switches.disconnect(reason, number=sent.get("number"))}

    def fault(sent: Json) -> None:
        wanted = {name: sent[name] for name in ("error", "retry_after", "status") if name in sent}
        switches.next_answers(sent["method"], make_fault(sent["kind"], **wanted), times=int(sent.get("times", 1)))

    def add_channel(sent: Json) -> Json:
        made = switches.add_channel(
            sent["name"], private=bool(sent.get("private")), with_bot=bool(sent.get("with_bot", True))
        )
        return {"channel": made}

    return {
        "statistics": lambda _: switches.statistics(),
        "disconnect": disconnect,
        "cut": lambda sent: {"cut": switches.cut(number=sent.get("number"))},
        "fault": fault,
        "reject-next": lambda sent: switches.reject_next(
            int(sent["n"]), sent["method"], int(sent.get("retry_after", 1))
        ),
        "deliver-each": lambda sent: switches.deliver_each(int(sent["times"])),
        "disconnect-every": lambda sent: switches.disconnect_every(_seconds(sent.get("seconds"))),
        "no-more-faults": lambda _: switches.no_more_faults(),
        "rate-limits": lambda sent: switches.rate_limits(enforced=bool(sent["enforced"])),
        "ack-deadline": lambda sent: switches.ack_deadline(timedelta(seconds=float(sent["seconds"]))),
        "advance": lambda sent: switches.advance(timedelta(seconds=float(sent["seconds"]))),
        "archive": lambda sent: switches.archive(sent["channel"], archived=bool(sent.get("archived", True))),
        "invite-bot": lambda sent: switches.invite_bot(sent["channel"]),
        "remove-bot": lambda sent: switches.remove_bot(sent["channel"]),
        "revoke-token": lambda sent: switches.revoke_token(TokenKind(sent.get("token", "bot"))),
        "restore-token": lambda sent: switches.restore_token(TokenKind(sent.get("token", "bot"))),
        "add-channel": add_channel,
    }


def _seconds(value: Any) -> timedelta | None:
    return None if value in (None, "") else timedelta(seconds=float(value))


def _from_this_machine(request: web.Request) -> bool:
    """A name that merely resolves to loopback must not let a web page in (DNS rebinding)."""
    return urlsplit(f"//{request.host}").hostname in LOOPBACK


async def _arguments(request: web.Request) -> Json:
    sent: Json = dict(request.query)
    if request.can_read_body:
        body = await request.json()
        if not isinstance(body, dict):
            raise UserError("The body must be a JSON object.")
        sent |= body
    return sent
