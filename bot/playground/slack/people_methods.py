"""auth.test, team.*, bots.*, users.* and usergroups.*: who is there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.playground.slack.calls import Call, Method, TokenKind, paged
from bot.playground.slack.changes import Json
from bot.playground.slack.records import ChannelKind, User
from bot.playground.slack.refusal import ApiRefusalError


def auth_test(call: Call) -> Json:
    workspace = call.workspace
    if call.token is TokenKind.APP:
        return {"app_id": workspace.app.id, "app_name": workspace.app.name}
    return {
        "url": f"https://{workspace.team.domain}.slack.com/",
        "team": workspace.team.name,
        "user": call.bot.name,
        "team_id": workspace.team.id,
        "user_id": call.bot.id,
        "bot_id": workspace.app.bot_id,
        "is_enterprise_install": False,
    }


def user_info(call: Call) -> Json:
    user = call.user()
    shown = _profile(call, user)
    return {"user": shown | {"locale": user.locale} if call.flag("include_locale") else shown}


def _profile(call: Call, user: User) -> Json:
    """Without users:read.email nobody's address is shown."""
    shown = user.to_json()
    if "users:read.email" not in call.workspace.app.scopes:
        shown["profile"].pop("email", None)
    return shown


def find_user(call: Call) -> Json:
    """By address, which takes a scope of its own to see."""
    address = call.text("email").lower()
    for user in call.workspace.users.values():
        if user.email == address:
            return {"user": user.to_json()}
    raise ApiRefusalError("users_not_found")


def list_users(call: Call) -> Json:
    page, cursor = call.page(list(call.workspace.users.values()))
    return paged({"members": [_profile(call, user) for user in page]}, cursor)


def list_groups(call: Call) -> Json:
    with_users = call.flag("include_users")
    return {"usergroups": [group.to_json(with_users=with_users) for group in call.workspace.groups.values()]}


def group_users(call: Call) -> Json:
    group = call.workspace.groups.get(call.text("usergroup"))
    if group is None:
        raise ApiRefusalError("no_such_subteam")
    return {"users": list(group.users)}


def team_info(call: Call) -> Json:
    team = call.workspace.team
    shown = {"name": team.name, "email_domain": "", "icon": {"image_default": True}}
    return {"team": team.to_json() | shown}


def bot_info(call: Call) -> Json:
    app = call.workspace.app
    if call.optional("bot") not in {None, app.bot_id}:
        raise ApiRefusalError("bot_not_found")
    shown = {"id": app.bot_id, "deleted": False, "name": app.name, "app_id": app.id, "user_id": app.bot_user}
    return {"bot": shown | {"updated": 0, "icons": {}}}


def conversations_of(call: Call) -> Json:
    """Where the bot is, or a user whom it was asked about."""
    user = call.user() if call.optional("user") else call.bot
    kinds = (call.optional("types") or "public_channel").split(",")
    shown = [
        channel.to_json(seen_by=call.bot.id)
        for channel in call.workspace.channels.values()
        if TYPE_OF[channel.kind] in kinds
        and user.id in channel.members
        and (channel.kind is ChannelKind.PUBLIC or call.bot.id in channel.members)
        and not (call.flag("exclude_archived") and channel.archived)
    ]
    page, cursor = call.page(shown)
    return paged({"channels": page}, cursor)


TYPE_OF = {
    ChannelKind.PUBLIC: "public_channel",
    ChannelKind.PRIVATE: "private_channel",
    ChannelKind.DIRECT: "im",
}
USERS = ("users:read",)
GROUPS = ("usergroups:read",)
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "auth.test": Method(run=auth_test, token=None),
        "bots.info": Method(run=bot_info, scopes=USERS),
        "team.info": Method(run=team_info, scopes=("team:read",)),
        "users.conversations": Method(run=conversations_of, scopes=("channels:read", "groups:read", "im:read")),
        "users.lookupByEmail": Method(run=find_user, scopes=("users:read.email",)),
        "users.info": Method(run=user_info, scopes=USERS),
        "users.list": Method(run=list_users, scopes=USERS),
        "usergroups.list": Method(run=list_groups, scopes=GROUPS),
        "usergroups.users.list": Method(run=group_users, scopes=GROUPS),
    }
)
