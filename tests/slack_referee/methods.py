"""What the product asks of Slack, read from its source, and what Slack asks for it: scopes, events, features.

The tables are Slack's own method and event pages. What may not live here: the manifest, which is judged by this.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

ROOT = Path(__file__).parents[2]
PLAYERS = ROOT / "bot" / "playground"
KINDS = ("channels", "groups", "im", "mpim")
READ = {f"{kind}:read" for kind in KINDS}
HISTORY = {f"{kind}:history" for kind in KINDS} | {"metadata.message:read"}

# Web API method: what a bot's token needs for it.
METHOD_SCOPES: dict[str, set[str]] = {
    "apps.connections.open": set(),  # the app-level token's connections:write
    "auth.test": set(),
    "blocks.validate": set(),
    "chat.delete": {"chat:write"},
    "chat.getPermalink": set(),
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": HISTORY,
    "conversations.info": READ,
    "conversations.join": {"channels:join"},
    "conversations.list": READ,
    "conversations.members": READ,
    "conversations.open": {"im:write"},  # with one person; more would need mpim:write
    "conversations.replies": HISTORY,
    "files.completeUploadExternal": {"files:write"},
    "files.delete": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "files.info": {"files:read"},
    "files.list": {"files:read"},
    "reactions.add": {"reactions:write"},
    "reactions.get": {"reactions:read"},
    "reactions.remove": {"reactions:write"},
    "team.info": {"team:read"},
    "usergroups.list": {"usergroups:read"},
    "usergroups.users.list": {"usergroups:read"},
    "users.conversations": READ,
    "users.info": {"users:read"},
    "users.list": {"users:read"},
    "views.open": set(),
    "views.publish": set(),
    "views.push": set(),
    "views.update": set(),
}
# Event that may be subscribed to: what a bot's token needs for it.
EVENT_SCOPES: dict[str, set[str]] = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "channel_archive": {"channels:read"},
    "channel_rename": {"channels:read"},
    "channel_unarchive": {"channels:read"},
    "file_shared": {"files:read"},
    "member_joined_channel": {"channels:read", "groups:read"},
    "member_left_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
    "reaction_added": {"reactions:read"},
    "reaction_removed": {"reactions:read"},
    "subteam_created": {"usergroups:read"},
    "subteam_members_changed": {"usergroups:read"},
    "subteam_updated": {"usergroups:read"},
    "tokens_revoked": set(),
}
# Helpers of the SDK, and what they call.
COMPOSED = {"files_upload_v2": {"files.getUploadURLExternal", "files.completeUploadExternal"}}
NO_METHODS = {"api_call", "chat_stream"}
LISTENERS = {
    "action",
    "block_action",
    "command",
    "event",
    "global_shortcut",
    "message",
    "message_shortcut",
    "options",
    "shortcut",
    "view",
    "view_closed",
    "view_submission",
}
# A private address of a file opens with the bot's token and this scope.
FILE_ADDRESS, FILE_SCOPE = "url_private", "files:read"


@dataclass(frozen=True, slots=True)
class Listener:
    """One registration with Bolt: its kind, and the value of what it listens for (None if there is none)."""

    kind: str
    wanted: Any


@dataclass(slots=True)
class Asked:
    """Everything that the source asks of Slack."""

    methods: set[str] = field(default_factory=set)
    listeners: list[Listener] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)

    def of(self, *kinds: str) -> set[str]:
        """The names listened for by listeners of these kinds; patterns of Bolt's other forms are left out."""
        wanted = (listener.wanted for listener in self.listeners if listener.kind in kinds)
        names = (one.get("callback_id", one.get("type")) if isinstance(one, dict) else one for one in wanted)
        return {str(name) for name in names if name is not None}

    @property
    def kinds(self) -> set[str]:
        return {listener.kind for listener in self.listeners}


def asked_by_product(root: Path = ROOT) -> Asked:
    """Read bot and handlers, without the players, who are Slack's side."""
    asked = Asked()
    for path in sorted([*(root / "bot").rglob("*.py"), *(root / "handlers").rglob("*.py")]):
        if PLAYERS not in path.parents:
            read(path.read_text(encoding="utf-8"), asked, module=".".join(path.relative_to(root).with_suffix("").parts))
    return asked


def read(source: str, asked: Asked, *, module: str = "") -> None:
    """Add what one file asks. Names in registrations are looked up in `module`, as it is when it runs."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="api_call"), args=[ast.Constant(value=str(method)), *_]):
                asked.methods.add(method)
            case ast.Call(func=ast.Attribute(attr="api_call")):
                raise AssertionError(
                    f"{module}:{node.lineno}: a method that is not named in the call cannot be checked"
                )
            case ast.Call(func=ast.Attribute(attr=name)) if name in COMPOSED:
                asked.methods |= COMPOSED[name]
            case ast.Call(func=ast.Attribute(attr=name)) if name in _sdk():
                asked.methods.add(name.replace("_", "."))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="app"), attr=kind)) if kind in LISTENERS:
                asked.listeners.append(Listener(kind, _wanted(node, module)))
            case ast.arg(arg="say"):  # Bolt's own way to post
                asked.methods.add("chat.postMessage")
            case ast.Constant(value=str(text)) if text.startswith(FILE_ADDRESS):
                asked.scopes.add(FILE_SCOPE)


def scopes_for(asked: Asked) -> set[str]:
    """What the bot's token needs. KeyError for a method or an event that the tables do not have."""
    scopes = set(asked.scopes)
    scopes |= {"commands"} if asked.kinds & {"command", "shortcut", "global_shortcut", "message_shortcut"} else set()
    return scopes.union(*(METHOD_SCOPES[method] for method in asked.methods))


def _sdk() -> set[str]:
    """The client's methods that are methods of the Web API."""
    if not _SDK:
        members = inspect.getmembers(AsyncWebClient, inspect.iscoroutinefunction)
        _SDK.update(name for name, _ in members if "_" in name.strip("_") and not name.startswith("_"))
        _SDK.difference_update(NO_METHODS, COMPOSED)
    return _SDK


_SDK: set[str] = set()


def _wanted(call: ast.Call, module: str) -> Any:
    """The first argument's value: a literal, or whatever its name stands for in the module."""
    if not call.args:
        return None
    known = vars(importlib.import_module(module)) if module else {}
    return eval(compile(ast.Expression(call.args[0]), module or "planted", "eval"), dict(known))  # noqa: S307 - our source
