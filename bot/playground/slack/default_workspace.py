"""The workspace a newcomer finds: four people, three channels, one user group and the installed app."""

from __future__ import annotations

from collections.abc import Iterable

from bot.playground.slack.changes import Json
from bot.playground.slack.clock import Clock
from bot.playground.slack.records import App, Team, UserGroup
from bot.playground.slack.workspace import Workspace

BOT_USER = "U0COLDBOT1"
PEOPLE = {
    "U0ALICE001": ("alice", "Alice Example"),
    "U0BOB00001": ("bob", "Bob Example"),
    "U0CAROL001": ("carol", "Carol Example"),
    "U0MALLORY1": ("mallory", "Mallory Example"),
}
CHANNELS = {"C0MIGRATE1": "migrations", "C0NFCALERT": "nfc-alerts", "C0RANDOM01": "random"}
GROUP = "S0VMOPS001"

SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:join",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "metadata.message:read",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
EVENTS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "channel_archive",
        "channel_unarchive",
        "file_shared",
        "group_archive",
        "group_unarchive",
        "member_joined_channel",
        "member_left_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "reaction_added",
        "reaction_removed",
        "subteam_members_changed",
        "subteam_updated",
        "tokens_revoked",
    }
)


def make_app(manifest: Json | None = None) -> App:
    """The app as installed. With a `manifest` it has the scopes, events and commands named there alone."""
    scopes, events, commands = SCOPES, EVENTS, None
    if manifest is not None:
        scopes = frozenset(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ()))
        events = frozenset(manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", ()))
        declared: Iterable[Json] = manifest.get("features", {}).get("slash_commands", ())
        commands = frozenset(str(command["command"]) for command in declared)
    return App(
        id="A0COLDAPP1",
        name="coldmigrate",
        bot_id="B0COLDBOT1",
        bot_user=BOT_USER,
        scopes=scopes,
        events=events,
        commands=commands,
    )


def make_workspace(clock: Clock, *, manifest: Json | None = None) -> Workspace:
    """alice, bob and carol run the machines and are in @vm-ops; mallory is in the channels and has no rights."""
    team = Team(id="T0DEMO0001", name="Demo", domain="demo")
    workspace = Workspace(team=team, app=make_app(manifest), clock=clock)
    for user_id, (name, real_name) in PEOPLE.items():
        workspace.add_user(user_id, name, real_name=real_name)
    workspace.add_user(BOT_USER, "coldmigrate", is_bot=True)
    for channel_id, name in CHANNELS.items():
        workspace.add_channel(name, channel_id=channel_id)
    workspace.groups[GROUP] = UserGroup(
        id=GROUP,
        handle="vm-ops",
        name="VM operations",
        users=[user_id for user_id, (name, _) in PEOPLE.items() if name != "mallory"],
        team_id=team.id,
    )
    return workspace
