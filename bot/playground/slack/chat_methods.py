"""chat.* and reactions.*: saying things, changing and removing what was said."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.playground.slack.calls import Call, Method
from bot.playground.slack.changes import Json
from bot.playground.slack.content import read_content
from bot.playground.slack.records import Channel, ChannelKind, EphemeralSource, Message
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.workspace import Content, emoji_name

# chat.update refuses what chat.postMessage would cut (seratch/ChatGPT-in-Slack#102).
UPDATED_TEXT = 4_000


def post_message(call: Call) -> Json:
    channel = _target(call)
    content = read_content(call.arguments)
    thread_ts = _thread(call, channel)
    message = call.workspace.post(
        channel,
        call.bot,
        content,
        by_app=call.workspace.app,
        thread_ts=thread_ts,
        broadcast=call.flag("reply_broadcast"),
    )
    call.workspace.said("message", call.arguments)
    shown = call.workspace.message_json(message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def update(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "ts")
    if message.by_app is None:
        raise ApiRefusalError("cant_update_message")
    if channel.archived:
        raise ApiRefusalError("is_inactive")
    content = _updated_content(call, message)
    call.workspace.update(channel, message, content)
    call.workspace.said("message", call.arguments)
    shown = call.workspace.message_json(message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def _updated_content(call: Call, message: Message) -> Content:
    """Blocks that are not mentioned stay only if text is not mentioned either."""
    content = read_content(call.arguments)
    if len(content.text) > UPDATED_TEXT:
        raise ApiRefusalError("msg_too_long")
    if content.text or content.blocks:
        return content
    return Content(text=message.text, blocks=message.blocks, attachments=content.attachments, metadata=content.metadata)


def delete(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "ts")
    if message.by_app is None:
        raise ApiRefusalError("cant_delete_message")
    call.workspace.delete(channel, message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(call: Call) -> Json:
    channel = _target(call)
    user = call.user()
    if user.id not in channel.members:
        raise ApiRefusalError("user_not_in_channel")
    content = read_content(call.arguments)
    thread_ts = _thread(call, channel)
    shown = call.workspace.whisper(channel, user, content, source=EphemeralSource.API, thread_ts=thread_ts)
    call.workspace.said("ephemeral", call.arguments)
    return {"message_ts": shown.ts}


def get_permalink(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "message_ts")
    link = f"https://{call.workspace.team.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def add_reaction(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "timestamp")
    if channel.archived:
        raise ApiRefusalError("is_archived")
    name = emoji_name(call.text("name"))
    if name is None:
        raise ApiRefusalError("invalid_name")
    if not call.workspace.react(message, call.bot, name):
        raise ApiRefusalError("already_reacted")
    return {}


def get_reactions(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "timestamp")
    return {"type": "message", "channel": channel.id, "message": call.workspace.message_json(message)}


def remove_reaction(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "timestamp")
    if not call.workspace.unreact(message, call.bot, call.text("name")):
        raise ApiRefusalError("no_reaction")
    return {}


def _target(call: Call) -> Channel:
    """A conversation by id or #name, or by a user's id for a direct message. Refused where the bot may not post."""
    ref = call.text("channel")
    workspace = call.workspace
    if ref in workspace.users and ref != call.bot.id:
        return workspace.direct_channel(ref)
    named = {c.name: c for c in workspace.channels.values() if c.kind is not ChannelKind.DIRECT}
    channel = call.visible(workspace.channels.get(ref) or named.get(ref.removeprefix("#")))
    if channel.archived:
        raise ApiRefusalError("is_archived")
    if call.bot.id not in channel.members and "chat:write.public" not in workspace.app.scopes:
        raise ApiRefusalError("not_in_channel")
    if channel.restricted:
        raise ApiRefusalError("restricted_action")
    return channel


def _thread(call: Call, channel: Channel) -> str | None:
    thread_ts = call.optional("thread_ts")
    if thread_ts is not None and thread_ts not in channel.messages:
        raise ApiRefusalError("thread_not_found")
    return thread_ts


WRITE = ("chat:write",)
REACT = ("reactions:write",)
SEE_REACTIONS = ("reactions:read",)
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "chat.postMessage": Method(run=post_message, scopes=WRITE),
        "chat.update": Method(run=update, scopes=WRITE),
        "chat.delete": Method(run=delete, scopes=WRITE),
        "chat.postEphemeral": Method(run=post_ephemeral, scopes=WRITE),
        "chat.getPermalink": Method(run=get_permalink),
        "reactions.add": Method(run=add_reaction, scopes=REACT),
        "reactions.get": Method(run=get_reactions, scopes=SEE_REACTIONS),
        "reactions.remove": Method(run=remove_reaction, scopes=REACT),
    }
)
