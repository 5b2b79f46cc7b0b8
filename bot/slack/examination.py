"""What there is to say of the Slack that we are given: tokens, scopes, the alert channel, user groups. Changes nothing.

Each check stands alone and has the time-out of a call.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import OutsideError
from bot.finding import Finding, error, fine, warning
from bot.slack.client import SlackError, calling

APP_SCOPE: Final = "connections:write"
"""What the app token must have been made with; Slack tells nobody which scopes it has."""

_SCOPES: Final = "x-oauth-scopes"
_AGAIN: Final = "Install the app again from the manifest that `coldmigrate init` writes."


@dataclass(frozen=True, slots=True)
class Needed:
    """What the config and the manifest ask of Slack. `groups` are the user groups of [[rights]]."""

    scopes: frozenset[str]
    alerts: str | None = None
    groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


async def examine(client: AsyncWebClient, app_token: str, needed: Needed) -> list[Finding]:
    """Everything there is to say. A bot token that is not good is told instead of what it would have been asked."""
    found = await _bot(client, needed.scopes)
    found.append(await _app(client, app_token))
    if any(one.about == "slack.bot-token" and one.do for one in found):
        return found
    if needed.alerts:
        found.append(await _channel(client, needed.alerts, "slack.alerts"))
    found += [await _channel(client, channel, f"slack.channel.{channel}") for channel in needed.channels]
    found += [await _group(client, group) for group in needed.groups]
    return found


async def _bot(client: AsyncWebClient, needed: Collection[str]) -> list[Finding]:
    about = "slack.bot-token"
    try:
        with calling("auth.test"):
            answer = await client.auth_test()
    except OutsideError as failure:
        return [error(about, str(failure), do="Nothing that takes the bot's token could be looked at.")]
    who = fine(about, f"The bot is {answer.get('user')} of workspace {answer.get('team')}.")
    return [who, *_scopes(_granted(answer.headers), needed)]


def _granted(headers: dict[str, Any]) -> frozenset[str] | None:
    """The scopes that the token has, as every answer says; None if a proxy has taken that away."""
    said = next((value for name, value in headers.items() if name.lower() == _SCOPES), None)
    return None if said is None else frozenset(scope.strip() for scope in str(said).split(",") if scope.strip())


def _scopes(granted: frozenset[str] | None, needed: Collection[str]) -> Iterator[Finding]:
    about = "slack.scopes"
    if granted is None:
        yield warning(
            about, f"Slack did not say which scopes the token has ({_SCOPES}).", do="Is there a proxy between?"
        )
    elif missing := sorted(set(needed) - granted):
        yield error(about, f"The app lacks {', '.join(missing)}.", do=_AGAIN)
    elif more := sorted(granted - set(needed)):
        yield fine(about, f"The app has all {len(needed)} scopes, and needs none of {', '.join(more)}.")
    else:
        yield fine(about, f"The app has the {len(needed)} scopes that it needs, and no other.")


async def _app(client: AsyncWebClient, token: str) -> Finding:
    """Ask for a socket's address, without opening it: it is good for half a minute and then for nothing."""
    about = "slack.app-token"
    try:
        with calling("apps.connections.open"):
            await client.apps_connections_open(app_token=token)
    except OutsideError as failure:
        do = f"Check slack.app_token_env or _file: an app-level token (xapp-) with {APP_SCOPE}, and Socket Mode on."
        return error(about, str(failure), do=do)
    return fine(about, "Slack gives the app a socket to connect to.")


async def _channel(client: AsyncWebClient, channel: str, about: str) -> Finding:
    try:
        with calling("conversations.info", about=channel):
            answer = await client.conversations_info(channel=channel)
    except OutsideError as failure:
        return error(about, str(failure), do="Invite the bot there, or mend the channel's id in the config.")
    found: dict[str, Any] = answer["channel"]
    name = f"#{found.get('name')}"
    if found.get("is_archived"):
        return error(about, f"{name} is archived.", do="Name another channel in the config.")
    if not found.get("is_member"):
        return error(about, f"The bot is not in {name}.", do="Send /invite with the bot's name there.")
    return fine(about, f"The bot is in {name}.")


async def _group(client: AsyncWebClient, group: str) -> Finding:
    about = f"slack.group.{group}"
    try:
        with calling("usergroups.users.list", about=group):
            answer = await client.usergroups_users_list(usergroup=group)
    except SlackError as failure:
        return error(about, str(failure), do="Mend the group's id in [[rights]]: nobody has a right by it.")
    except OutsideError as failure:
        return error(about, str(failure), do="Look again.")
    users: Sequence[str] = answer["users"]
    if not users:
        return warning(about, "Nobody is in this user group.", do="Who has a right by it alone has none now.")
    people = "1 person is" if len(users) == 1 else f"{len(users)} people are"
    return fine(about, f"{people} in this user group.")
