"""The verbs of the control API: a person's gestures, what they see, and the switches of the outside world.

Each takes the JSON that was sent and gives JSON back; a missing argument is a KeyError, which the API puts into words.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bot.playground.slack.calls import TokenKind
from bot.playground.slack.changes import Json
from bot.playground.slack.outcome import Outcome
from bot.playground.slack.person import Person
from bot.playground.slack.sockets import DisconnectReason
from bot.playground.slack.switches import Switches, make_fault

Verb = Callable[[Json], Any]
Gesture = Callable[[Json], Awaitable[Outcome]]


def gesture_verbs(person: Person) -> dict[str, Verb]:
    """All that a person does."""
    told: dict[str, Gesture] = {
        "command": lambda sent: person.command(sent["user"], sent["channel"], sent["line"]),
        "click": lambda sent: person.click(
            sent["user"], sent["channel"], str(sent["ts"]), sent["action_id"], **_which(sent)
        ),
        "click-in-view": lambda sent: person.click_in_view(
            sent["user"], sent["view_id"], sent["action_id"], **_which(sent)
        ),
        "submit-view": lambda sent: person.submit_view(sent["user"], sent["view_id"], sent.get("values") or {}),
        "close-view": lambda sent: person.close_view(
            sent["user"], sent["view_id"], whole_stack=bool(sent.get("whole_stack"))
        ),
        "shortcut": lambda sent: person.shortcut(sent["user"], sent["callback_id"]),
        "message-shortcut": lambda sent: person.message_shortcut(
            sent["user"], sent["channel"], str(sent["ts"]), sent["callback_id"]
        ),
    }
    return {name: _in_json(gesture) for name, gesture in told.items()} | _quiet_gestures(person)


def _quiet_gestures(person: Person) -> dict[str, Verb]:
    """Those whose answer is something else than an outcome."""

    def say(how: Callable[..., str]) -> Verb:
        return lambda sent: {"ts": how(sent["user"], sent["channel"], sent["text"], thread_ts=sent.get("thread_ts"))}

    def upload(sent: Json) -> Json:
        content = base64.b64decode(sent["content"], validate=True)
        words = {"comment": sent.get("comment", ""), "thread_ts": sent.get("thread_ts")}
        return {"file": person.upload(sent["user"], sent["channel"], sent["name"], content, **words)}

    def react(sent: Json) -> Json:
        return {"stands": person.react(sent["user"], sent["channel"], str(sent["ts"]), sent["emoji"])}

    def edit(sent: Json) -> None:
        person.edit(sent["user"], sent["channel"], str(sent["ts"]), sent["text"])

    return {
        "post": say(person.post),
        "edit": edit,
        "delete-file": lambda sent: person.delete_file(sent["user"], sent["file_id"]),
        "mention": say(person.mention),
        "upload": upload,
        "react": react,
        "open-home": lambda sent: person.open_home(sent["user"], tab=sent.get("tab", "home")),
        "type-ahead": lambda sent: person.type_ahead(
            sent["user"],
            sent["action_id"],
            sent["query"],
            **{name: sent.get(name) for name in ("view_id", "channel", "ts", "block_id")},
        ),
    }


def screen_verbs(person: Person) -> dict[str, Verb]:
    """All that a person sees."""

    def download(sent: Json) -> Json:
        name, content = person.download(sent["user"], sent["file_id"])
        return {"name": name, "content": base64.b64encode(content).decode()}

    return {
        "history": lambda sent: {"messages": person.history(sent["channel"])},
        "thread": lambda sent: {"messages": person.thread(sent["channel"], str(sent["ts"]))},
        "message": lambda sent: {"message": person.message(sent["channel"], str(sent["ts"]))},
        "ephemerals": lambda sent: {"messages": person.ephemerals(sent["user"])},
        "views": lambda sent: {"views": person.views(sent["user"])},
        "download": download,
    }


def switch_verbs(switches: Switches) -> dict[str, Verb]:
    """All that the world does."""

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
        "request-url": lambda sent: switches.request_url(sent.get("url")),
        "disconnect-every": lambda sent: switches.disconnect_every(_seconds(sent.get("seconds"))),
        "no-more-faults": lambda _: switches.no_more_faults(),
        "rate-limits": lambda sent: switches.rate_limits(enforced=bool(sent["enforced"])),
        "ack-deadline": lambda sent: switches.ack_deadline(timedelta(seconds=float(sent["seconds"]))),
        "advance": lambda sent: switches.advance(timedelta(seconds=float(sent["seconds"]))),
        "spoil-file": lambda sent: switches.spoil_file(sent["file_id"], **sent["how"]),
        "archive": lambda sent: switches.archive(sent["channel"], archived=bool(sent.get("archived", True))),
        "restrict": lambda sent: switches.restrict(sent["channel"], restricted=bool(sent.get("restricted", True))),
        "invite-bot": lambda sent: switches.invite_bot(sent["channel"]),
        "remove-bot": lambda sent: switches.remove_bot(sent["channel"]),
        "set-group": lambda sent: switches.set_group(sent["group"], list(sent["members"])),
        "uninstall": lambda _: switches.uninstall(),
        "revoke-token": lambda sent: switches.revoke_token(TokenKind(sent.get("token", "bot"))),
        "restore-token": lambda sent: switches.restore_token(TokenKind(sent.get("token", "bot"))),
        "add-channel": add_channel,
    }


def _seconds(value: Any) -> timedelta | None:
    return None if value in (None, "") else timedelta(seconds=float(value))


def _which(sent: Json) -> Json:
    return {"block_id": sent.get("block_id"), "value": sent.get("value")}


def _in_json(gesture: Gesture) -> Verb:
    async def made(sent: Json) -> Json:
        return (await gesture(sent)).to_json()

    return made
