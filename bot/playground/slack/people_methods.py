"""auth.test, users.* and usergroups.*: who is there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.playground.slack.calls import Call, Method, TokenKind, paged
from bot.playground.slack.changes import Json
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
    shown = user.to_json()
    return {"user": shown | {"locale": user.locale} if call.flag("include_locale") else shown}


def list_users(call: Call) -> Json:
    page, cursor = call.page(list(call.workspace.users.values()))
    return paged({"members": [user.to_json() for user in page]}, cursor)


def list_groups(call: Call) -> Json:
    with_users = call.flag("include_users")
    return {"usergroups": [group.to_json(with_users=with_users) for group in call.workspace.groups.values()]}


def group_users(call: Call) -> Json:
    group = call.workspace.groups.get(call.text("usergroup"))
    if group is None:
        raise ApiRefusalError("no_such_subteam")
    return {"users": list(group.users)}


USERS = ("users:read",)
GROUPS = ("usergroups:read",)
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "auth.test": Method(run=auth_test, token=None),
        "users.info": Method(run=user_info, scopes=USERS),
        "users.list": Method(run=list_users, scopes=USERS),
        "usergroups.list": Method(run=list_groups, scopes=GROUPS),
        "usergroups.users.list": Method(run=group_users, scopes=GROUPS),
    }
)
