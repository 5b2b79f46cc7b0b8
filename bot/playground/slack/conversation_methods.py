"""conversations.*: which conversations there are, who is in them and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

from bot.playground.slack.calls import Call, Method, paged
from bot.playground.slack.changes import Json
from bot.playground.slack.records import Channel, ChannelKind, Message
from bot.playground.slack.refusal import ApiRefusalError

TYPES = {
    "public_channel": ChannelKind.PUBLIC,
    "private_channel": ChannelKind.PRIVATE,
    "im": ChannelKind.DIRECT,
}
UNTIL_ALWAYS = Decimal("Infinity")
READ = ("channels:read", "groups:read", "im:read")


def info(call: Call) -> Json:
    channel = call.channel()
    call.need_for(channel, "read")
    return {"channel": channel.to_json(seen_by=call.bot.id)}


def list_conversations(call: Call) -> Json:
    wanted = (call.optional("types") or "public_channel").split(",")
    unknown = [kind for kind in wanted if kind.strip() not in {*TYPES, "mpim"}]
    if unknown:
        raise ApiRefusalError("invalid_types")
    kinds = {TYPES[kind.strip()] for kind in wanted if kind.strip() in TYPES}
    shown = [
        channel.to_json(seen_by=call.bot.id)
        for channel in call.workspace.channels.values()
        if channel.kind in kinds
        and (channel.kind is ChannelKind.PUBLIC or call.bot.id in channel.members)
        and not (call.flag("exclude_archived") and channel.archived)
    ]
    page, cursor = call.page(shown)
    return paged({"channels": page}, cursor)


def history(call: Call) -> Json:
    channel = _readable(call)
    newest_first = [message for message in reversed(channel.messages.values()) if message.in_channel_view]
    return _messages(call, newest_first)


def replies(call: Call) -> Json:
    """A thread, oldest first; a message without replies is a thread of one."""
    channel = _readable(call)
    root = channel.messages.get(call.text("ts"))
    if root is None:
        raise ApiRefusalError("thread_not_found")
    root = channel.messages[root.thread_ts] if root.thread_ts else root
    answers = [channel.messages[ts] for ts in root.replies]
    chosen = _between(call, answers)
    page, cursor = call.page(chosen, default=1000)
    shown = [_shown(call, message) for message in [root, *page]]
    return paged({"messages": shown, "has_more": bool(cursor)}, cursor)


def join(call: Call) -> Json:
    channel = call.channel()
    if channel.kind is not ChannelKind.PUBLIC:
        raise ApiRefusalError("method_not_supported_for_channel_type")
    if channel.archived:
        raise ApiRefusalError("is_archived")
    already = call.bot.id in channel.members
    call.workspace.join(channel, call.bot)
    answer: Json = {"channel": channel.to_json(seen_by=call.bot.id)}
    return answer | {"warning": "already_in_channel"} if already else answer


def members(call: Call) -> Json:
    channel = call.channel()
    call.need_for(channel, "read")
    page, cursor = call.page(channel.members)
    return paged({"members": page}, cursor)


def open_direct(call: Call) -> Json:
    users = (call.optional("users") or "").split(",")
    if len(users) != 1 or users[0] not in call.workspace.users:
        raise ApiRefusalError("user_not_found")
    if users[0] == call.bot.id:
        raise ApiRefusalError("cannot_dm_bot")
    channel = call.workspace.direct_channel(users[0])
    return {"channel": channel.to_json(seen_by=call.bot.id) if call.flag("return_im") else {"id": channel.id}}


def _readable(call: Call) -> Channel:
    channel = call.channel()
    call.need_for(channel, "history")
    if call.bot.id not in channel.members:
        raise ApiRefusalError("not_in_channel")
    return channel


def _messages(call: Call, messages: list[Message]) -> Json:
    page, cursor = call.page(_between(call, messages))
    shown = [_shown(call, message) for message in page]
    return paged({"messages": shown, "has_more": bool(cursor), "pin_count": 0}, cursor)


def _between(call: Call, messages: list[Message]) -> list[Message]:
    """Those after `oldest` and before `latest`; the ends count only when `inclusive`."""
    oldest = _ts(call, "oldest", otherwise=Decimal(0))
    latest = _ts(call, "latest", otherwise=UNTIL_ALWAYS)
    if call.flag("inclusive"):
        return [message for message in messages if oldest <= Decimal(message.ts) <= latest]
    return [message for message in messages if oldest < Decimal(message.ts) < latest]


def _ts(call: Call, name: str, *, otherwise: Decimal) -> Decimal:
    value = call.optional(name)
    if value is None:
        return otherwise
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ApiRefusalError(f"invalid_ts_{name}") from None


def _shown(call: Call, message: Message) -> Json:
    """Metadata is shown to those who ask for it and may see it; others get the message without a word about it."""
    allowed = "metadata.message:read" in call.workspace.app.scopes
    return call.workspace.message_json(message, with_metadata=allowed and call.flag("include_all_metadata"))


HISTORY = ("channels:history", "groups:history", "im:history")
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "conversations.info": Method(run=info, scopes=READ),
        "conversations.list": Method(run=list_conversations, scopes=READ),
        "conversations.history": Method(run=history, scopes=HISTORY),
        "conversations.replies": Method(run=replies, scopes=HISTORY),
        "conversations.join": Method(run=join, scopes=("channels:join",)),
        "conversations.members": Method(run=members, scopes=READ),
        "conversations.open": Method(run=open_direct, scopes=("im:write",)),
    }
)
