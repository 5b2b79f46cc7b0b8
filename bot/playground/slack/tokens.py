"""The two tokens of the installed app. They are made anew for every player and shown to nobody but its owner."""

from __future__ import annotations

import hmac
import secrets

from bot.playground.slack.calls import TokenKind
from bot.playground.slack.refusal import ApiRefusalError


class Tokens:
    """`repr` shows no token."""

    def __init__(self, *, bot: str = "", app: str = "") -> None:
        self.bot = bot or f"xoxb-{secrets.randbelow(10**12):012d}-{secrets.token_hex(12)}"
        self.app = app or f"xapp-1-{secrets.token_hex(5).upper()}-{secrets.token_hex(16)}"
        self._revoked: dict[TokenKind, str] = {}

    def kind(self, authorization: str, argument: str) -> TokenKind:
        """Whose token was sent, in the header or as an argument. Refused with Slack's three ways of saying no."""
        scheme, _, sent = authorization.partition(" ")
        sent = sent.strip() if scheme.lower() == "bearer" else argument
        if not sent:
            raise ApiRefusalError("not_authed")
        for kind, token in ((TokenKind.BOT, self.bot), (TokenKind.APP, self.app)):
            if hmac.compare_digest(sent.encode(), token.encode()):
                if kind in self._revoked:
                    raise ApiRefusalError(self._revoked[kind])
                return kind
        raise ApiRefusalError("invalid_auth")

    def revoke(self, kind: TokenKind, *, error: str = "token_revoked") -> None:
        self._revoked[kind] = error

    def restore(self, kind: TokenKind) -> None:
        self._revoked.pop(kind, None)
