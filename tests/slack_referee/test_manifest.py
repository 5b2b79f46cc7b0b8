"""The Slack app that `coldmigrate init` asks for: in Slack's own shape, with all that the code uses, and no more."""

from __future__ import annotations

import copy

import pytest

from bot.cli.init import MANIFEST
from tests.slack_referee.methods import EVENT_SCOPES, Asked, asked_by_product, read, scopes_for
from tests.slack_referee.shape import faults_of_shape

MESSAGES = {"message.channels", "message.groups", "message.im", "message.mpim"}


@pytest.fixture(scope="module")
def asked():
    return asked_by_product()


def faults(manifest, asked):
    """How the manifest and what the code asks for differ."""
    features, settings = manifest["features"], manifest["settings"]
    events = set(settings.get("event_subscriptions", {}).get("bot_events", ()))
    granted = manifest["oauth_config"]["scopes"]["bot"]
    heard = asked.of("event") | ({"message"} if "message" in asked.kinds else set())
    pairs = {
        "scopes": (set(granted), scopes_for(asked).union(*(EVENT_SCOPES[event] for event in events))),
        "commands": ({c["command"] for c in features.get("slash_commands", ())}, asked.of("command")),
        "shortcuts": (
            {s["callback_id"] for s in features.get("shortcuts", ())},
            asked.of("shortcut", "global_shortcut", "message_shortcut"),
        ),
        "events": ({"message" if event in MESSAGES else event for event in events}, heard),
        "interactivity": (
            {settings.get("interactivity", {}).get("is_enabled", False)},
            {bool(asked.kinds - {"command", "event", "message"})},
        ),
        "home tab": (
            {features.get("app_home", {}).get("home_tab_enabled", False)},
            {"views.publish" in asked.methods},
        ),
        "Socket Mode": ({settings.get("socket_mode_enabled", False)}, {"apps.connections.open" in asked.methods}),
    }
    found = [
        f"{what}: the manifest has {sorted(map(str, has - wants))} too much and lacks {sorted(map(str, wants - has))}"
        for what, (has, wants) in pairs.items()
        if has != wants
    ]
    return found + ([] if len(set(granted)) == len(granted) else ["scopes: one is there twice"])


def test_it_is_what_slack_calls_a_manifest():
    assert faults_of_shape(MANIFEST, definition="AppManifest") == []


def test_it_has_all_that_the_code_uses_and_no_more(asked):
    assert faults(MANIFEST, asked) == []


def test_it_keeps_slacks_lengths():
    """Slack's manifest page; types know no lengths."""
    display, features = MANIFEST["display_information"], MANIFEST["features"]
    assert len(display["name"]) <= 35
    assert len(display["description"]) <= 140
    assert len(features["bot_user"]["display_name"]) <= 80
    for command in features["slash_commands"]:
        assert command["command"].startswith("/")
        assert len(command["command"]) <= 32
        assert len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
    for shortcut in features.get("shortcuts", ()):
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
        assert len(shortcut["callback_id"]) <= 255


SOURCE = """
async def handler(say, client):
    await client.users_info(user="U1")
    await client.files_upload_v2(file="x")
    await client.api_call("team.info")
    client.is_connected()
    queue.chat_about_something()
def register(app):
    app.command("/planted")(handler)
    app.event({"type": "app_mention"})(handler)
    app.shortcut({"callback_id": "planted", "type": "message_action"})(handler)
    app.message()(handler)
    found["url_private_download"]
"""


def test_what_code_asks_is_read_from_its_source():
    asked = Asked()
    read(SOURCE, asked)
    uploads = {"files.getUploadURLExternal", "files.completeUploadExternal"}
    assert asked.methods == {"users.info", "team.info", "chat.postMessage"} | uploads
    assert asked.of("command") == {"/planted"}
    assert asked.of("event") == {"app_mention"}
    assert asked.of("shortcut") == {"planted"}
    assert scopes_for(asked) == {"users:read", "team:read", "chat:write", "files:write", "files:read", "commands"}


def test_a_method_that_is_not_named_is_refused():
    with pytest.raises(AssertionError, match="cannot be checked"):
        read("client.api_call(method)", Asked())


SPOILED = {
    "scopes": lambda m: m["oauth_config"]["scopes"]["bot"].remove("chat:write"),
    "scopes: the": lambda m: m["oauth_config"]["scopes"]["bot"].append("admin"),
    "scopes: one is there twice": lambda m: m["oauth_config"]["scopes"]["bot"].append("chat:write"),
    "commands": lambda m: m["features"]["slash_commands"].clear(),
    "shortcuts": lambda m: m["features"].setdefault("shortcuts", []).append({"callback_id": "planted"}),
    "events": lambda m: m["settings"].update(event_subscriptions={"bot_events": ["tokens_revoked"]}),
    "interactivity": lambda m: m["settings"]["interactivity"].update(is_enabled=False),
    "home tab": lambda m: m["features"].update(
        app_home={"home_tab_enabled": not m["features"].get("app_home", {}).get("home_tab_enabled", False)}
    ),
    "Socket Mode": lambda m: m["settings"].update(socket_mode_enabled=False),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_manifest_that_lacks_or_exceeds_is_seen(asked, what):
    manifest = copy.deepcopy(MANIFEST)
    SPOILED[what](manifest)
    assert any(fault.startswith(what) for fault in faults(manifest, asked))
