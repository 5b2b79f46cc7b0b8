"""The Slack app asks for what the code uses, and for nothing else."""

from __future__ import annotations

import re

from bot.cli.init import MANIFEST

READ = {"channels:read", "groups:read", "im:read", "mpim:read"}
HISTORY = {"channels:history", "groups:history", "im:history", "mpim:history", "metadata.message:read"}
SCOPES = {  # Web API method -> what a bot's token needs for it (Slack's method pages)
    "auth.test": set(),
    "apps.connections.open": set(),  # the app-level token's connections:write
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "chat.delete": {"chat:write"},
    "chat.getPermalink": set(),
    "files.getUploadURLExternal": {"files:write"},
    "files.completeUploadExternal": {"files:write"},
    "conversations.info": READ,
    "conversations.open": {"im:write"},
    "conversations.history": HISTORY,
    "conversations.replies": HISTORY,
    "usergroups.users.list": {"usergroups:read"},
}
EVENTS: set[str] = set()  # nothing is listened to but commands and clicks
CALL = re.compile(r"client\.(\w+_\w+)\(")
LISTENER = re.compile(r"app\.(command|action|event|message|shortcut|view|options)\(")


def code(root):
    places = [*root.glob("bot/slack/*.py"), *root.glob("handlers/slack/*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in places)


def granted():
    return set(MANIFEST["oauth_config"]["scopes"]["bot"])


def test_every_call_is_in_the_table(root):
    text = code(root)
    named = set(re.findall(r"calling\(\"([\w.]+)\"", text))
    called = {name.replace("_", "").casefold() for name in CALL.findall(text)} - {
        "isconnected"
    }  # of the socket, not the API
    assert named == set(SCOPES)
    assert {method.replace(".", "").casefold() for method in named} == called


def test_the_manifest_has_the_scopes_of_all_calls_and_no_more():
    assert granted() == {"commands"}.union(*SCOPES.values())


def test_the_manifest_has_what_is_listened_to_and_no_more(root):
    kinds = set(LISTENER.findall(code(root)))
    assert kinds == {"command", "action"}
    assert MANIFEST["settings"]["interactivity"]["is_enabled"]
    assert set(MANIFEST["settings"].get("event_subscriptions", {}).get("bot_events", ())) == EVENTS
    assert MANIFEST["settings"]["socket_mode_enabled"]


def test_every_scope_is_explained(pages):
    rows = [line for line in pages["docs/operating.md"].splitlines() if line.startswith("| `")]
    firsts = "\n".join(row.split("|")[1] for row in rows)
    assert {
        name for name in re.findall(r"`([\w.]+(?::\w+)?)`", firsts) if ":" in name or name == "commands"
    } == granted()
