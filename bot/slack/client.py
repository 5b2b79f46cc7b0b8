"""The Web API client, and Slack's error strings in our words, translated once.

The SDK's retry handlers are left out on purpose: its default one sends a POST again after a lost connection, which
posts twice. Who may repeat a call decides that here, by class of error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from enum import Enum, auto
from http import HTTPStatus
from typing import Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import LoginError, MaybeSentError, OutsideError, UnreachableError

API_URL: Final = "https://slack.com/api/"
CALL_TIMEOUT: Final = timedelta(seconds=10)
_DEFAULT_RETRY_AFTER: Final = 30.0  # Slack always names one; a proxy in between may not


class Fault(Enum):
    """What a refusal means for whoever wanted to send something."""

    BUSY = auto()  # rate limited: later
    GONE = auto()  # the message is not there to be edited any more
    PLACE = auto()  # this channel or thread does not take messages from us, until somebody changes that
    TOKEN = auto()  # Slack does not let us in at all, until somebody changes that
    CONTENT = auto()  # our message breaks a rule: a defect of ours
    OTHER = auto()


class SlackError(OutsideError):
    """Slack answered, and said no, when `method` was called. `code` is its own error string."""

    def __init__(
        self, message: str, *, code: str, fault: Fault, method: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, transient=fault in (Fault.BUSY, Fault.OTHER), retry_after=retry_after)
        self.code = code
        self.fault = fault
        self.method = method


class SlackLoginError(SlackError, LoginError):
    """The token is not, or no longer, good for this."""


_ADMIN: Final = "A workspace admin has to change that."
_INVITE: Final = "Invite it there: /invite the bot."
_TOKEN: Final = "Check slack.bot_token_env or _file in the config, and that the app is still installed."  # noqa: S105
_OURS: Final = "This is a defect of coldmigrate; please report it."

_MEANING: Final[dict[str, tuple[Fault, str]]] = {
    "ratelimited": (Fault.BUSY, "It takes more again in a while."),
    "message_not_found": (Fault.GONE, "Somebody deleted the message."),
    "cant_update_message": (Fault.GONE, "The message is not ours any more."),
    "edit_window_closed": (Fault.GONE, "The workspace allows no edits of messages this old."),
    "not_in_channel": (Fault.PLACE, f"The bot is not in the channel. {_INVITE}"),
    "channel_not_found": (
        Fault.PLACE,
        f"There is no such channel, or it is private and the bot is not in it. {_INVITE}",
    ),
    "is_archived": (Fault.PLACE, "The channel is archived."),
    "thread_not_found": (Fault.GONE, "Somebody deleted the thread."),
    "is_inactive": (Fault.PLACE, "The channel is archived."),
    "cannot_reply_to_message": (Fault.PLACE, "Nobody may reply to this message."),
    "restricted_action": (Fault.PLACE, f"The workspace forbids it. {_ADMIN}"),
    "restricted_action_read_only_channel": (Fault.PLACE, f"The channel is read-only. {_ADMIN}"),
    "restricted_action_thread_only_channel": (Fault.PLACE, f"The channel takes replies only. {_ADMIN}"),
    "restricted_action_thread_locked": (Fault.PLACE, f"The thread is locked. {_ADMIN}"),
    "restricted_action_non_threadable_channel": (Fault.PLACE, f"The channel has no threads. {_ADMIN}"),
    "team_access_not_granted": (Fault.PLACE, f"The app is not granted to this workspace. {_ADMIN}"),
    "not_authed": (Fault.TOKEN, f"There is no token. {_TOKEN}"),
    "invalid_auth": (Fault.TOKEN, f"The token is not valid. {_TOKEN}"),
    "account_inactive": (Fault.TOKEN, f"The bot's account is deactivated. {_TOKEN}"),
    "token_revoked": (Fault.TOKEN, f"The token was revoked. {_TOKEN}"),
    "token_expired": (Fault.TOKEN, f"The token has expired. {_TOKEN}"),
    "app_uninstalled": (Fault.TOKEN, f"The app was uninstalled. {_TOKEN}"),
    "org_login_required": (Fault.TOKEN, f"The workspace is being moved. {_ADMIN}"),
    "ekm_access_denied": (Fault.TOKEN, f"The workspace's keys are withheld. {_ADMIN}"),
    "access_denied": (Fault.TOKEN, f"Access is denied. {_ADMIN}"),
    "missing_scope": (
        Fault.TOKEN,
        "The app lacks a scope. Install it again from the manifest that `coldmigrate init` writes.",
    ),
    "no_permission": (Fault.TOKEN, f"The token may not do this. {_TOKEN}"),
    "not_allowed_token_type": (Fault.TOKEN, f"This is another kind of token. {_TOKEN}"),
    "invalid_blocks": (Fault.CONTENT, _OURS),
    "invalid_blocks_format": (Fault.CONTENT, _OURS),
    "msg_blocks_too_long": (Fault.CONTENT, _OURS),
    "msg_too_long": (Fault.CONTENT, _OURS),
    "no_text": (Fault.CONTENT, _OURS),
    "invalid_attachments": (Fault.CONTENT, _OURS),
    "invalid_metadata_format": (Fault.CONTENT, _OURS),
    "metadata_too_large": (Fault.CONTENT, _OURS),
    "invalid_arguments": (Fault.CONTENT, _OURS),
}
_HALF_DONE: Final = frozenset({"fatal_error", "internal_error", "service_unavailable", "team_added_to_org"})
"""After these Slack may have done what was asked."""


@asynccontextmanager
async def open_client(bot_token: str, *, api_url: str = API_URL) -> AsyncIterator[AsyncWebClient]:
    """A client with one connection pool, which is closed with it. `api_url` is another one for a proxy or a demo."""
    timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT.total_seconds())
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield AsyncWebClient(token=bot_token, base_url=f"{api_url.rstrip('/')}/", session=session, retry_handlers=[])


def pool_of(client: AsyncWebClient) -> aiohttp.ClientSession:
    """The connection pool of a client from `open_client`, for what is no Web API call. UnreachableError without one."""
    if client.session is None:
        raise UnreachableError("The Slack client has no connection pool of its own.")
    return client.session


@contextmanager
def calling(method: str, *, about: str = "", changes: bool = False) -> Iterator[None]:
    """Translate what a call of `method` raises. `about` says in the sentence whom it concerned.

    `changes`: the call is one that must not be repeated blindly; then a lost answer is MaybeSentError.
    """
    what = f"{method} for {about}" if about else method
    try:
        yield
    except SlackApiError as error:
        raise _refused(error, method, what, changes=changes) from error
    except aiohttp.ClientConnectorError as error:
        raise UnreachableError(f"Slack does not answer: no connection for {what} ({error}).") from error
    except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
        raise _lost(f"Slack's answer to {what} was lost ({error or type(error).__name__}).", changes=changes) from error


def _refused(error: SlackApiError, method: str, what: str, *, changes: bool) -> OutsideError:
    status = getattr(error.response, "status_code", 0)  # an unreadable body comes with aiohttp's own response
    data = getattr(error.response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in ("ratelimited", "rate_limited"):
        return _busy(error, method, what)
    if code in _HALF_DONE or not code:
        return _lost(f"Slack had trouble with {what} ({code or f'HTTP {status}'}).", changes=changes)
    fault, meaning = _MEANING.get(code, (Fault.OTHER, ""))
    kind = SlackLoginError if fault is Fault.TOKEN else SlackError
    needed = f" ({data['needed']})" if isinstance(data, dict) and data.get("needed") else ""
    return kind(f"Slack refused {what}: {code}{needed}. {meaning}".rstrip(), code=code, fault=fault, method=method)


def _busy(error: SlackApiError, method: str, what: str) -> SlackError:
    said = error.response.headers.get("Retry-After", "")
    wait = float(said) if str(said).isdigit() else _DEFAULT_RETRY_AFTER
    return SlackError(
        f"Slack takes no more of {what} for {wait:.0f} s.",
        code="ratelimited",
        fault=Fault.BUSY,
        method=method,
        retry_after=wait,
    )


def _lost(sentence: str, *, changes: bool) -> OutsideError:
    return MaybeSentError(sentence, transient=True) if changes else UnreachableError(sentence)
