"""The forms of Redis URL that we take, parsed into an address. No connection is made here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from bot.errors import UserError

EXAMPLE: Final = "redis://redis.example.net:6379/0"
_FORMS: Final = (
    "redis://host:port/db, rediss://host:port/db, unix:///path, redis+sentinel://host1,host2/master/db, "
    "redis+cluster://host1,host2"
)
_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379


@dataclass(frozen=True, slots=True)
class Address:
    """Where Redis is. With `master` set, `hosts` are sentinels; with `socket` set there are no hosts.

    With `cluster`, `hosts` are some of its nodes.
    """

    hosts: tuple[tuple[str, int], ...] = ()
    socket: str = ""
    master: str = ""
    cluster: bool = False
    db: int = 0
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_user: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)

    @property
    def where(self) -> str:
        """For people and logs: everything but who we are."""
        if self.socket:
            return self.socket
        hosts = ",".join(f"{host}:{port}" for host, port in self.hosts)
        if self.cluster:
            return f"{hosts} (cluster)"
        return f"{hosts} (sentinel, master '{self.master}')" if self.master else hosts


def parse(url: str) -> Address:
    """Raises `UserError` with the forms that work; the sentence does not repeat the URL, which may hold a password."""
    try:
        parts = urlsplit(url)
        return _BY_SCHEME[parts.scheme](parts)
    except (KeyError, ValueError):
        raise UserError(f"The Redis URL is not one of these forms: {_FORMS}", example=EXAMPLE) from None


def passwords_in(url: str) -> list[str]:
    """Every password in a URL that `parse` takes, as it is sent: for whoever keeps them out of logs."""
    address = parse(url)
    return [password for password in (address.password, address.sentinel_password) if password]


def _plain(parts: SplitResult) -> Address:
    if not parts.hostname:
        raise ValueError
    return Address(
        hosts=((parts.hostname, parts.port or _PORT),),
        db=_db(parts.path.strip("/")),
        tls=parts.scheme == "rediss",
        user=_text(parts.username),
        password=_text(parts.password),
    )


def _unix(parts: SplitResult) -> Address:
    if not parts.path:
        raise ValueError
    return Address(
        socket=unquote(parts.path),
        db=_db(_option(parts, "db") or ""),
        user=_text(parts.username),
        password=_text(parts.password),
    )


def _sentinel(parts: SplitResult) -> Address:
    identity, _, hosts = parts.netloc.rpartition("@")
    user, _, password = identity.partition(":")
    master, _, db = parts.path.strip("/").partition("/")
    if not master or not hosts:
        raise ValueError
    return Address(
        hosts=tuple(_host(host, _SENTINEL_PORT) for host in hosts.split(",")),
        master=unquote(master),
        db=_db(db),
        tls=parts.scheme.startswith("rediss"),
        user=_text(user),
        password=_text(password),
        sentinel_user=_option(parts, "sentinel_user"),
        sentinel_password=_option(parts, "sentinel_password"),
    )


def _cluster(parts: SplitResult) -> Address:
    identity, _, hosts = parts.netloc.rpartition("@")
    user, _, password = identity.partition(":")
    if not hosts or parts.path.strip("/") not in ("", "0"):  # a cluster has database 0 alone
        raise ValueError
    return Address(
        hosts=tuple(_host(host, _PORT) for host in hosts.split(",")),
        cluster=True,
        tls=parts.scheme.startswith("rediss"),
        user=_text(user),
        password=_text(password),
    )


def _host(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError
    return parts.hostname, parts.port or port


def _db(text: str) -> int:
    number = int(text or "0")
    if number < 0:
        raise ValueError
    return number


def _text(part: str | None) -> str | None:
    return unquote(part) if part else None


def _option(parts: SplitResult, name: str) -> str | None:
    values = parse_qs(parts.query).get(name)
    return values[0] if values else None


_BY_SCHEME: Final = {
    "redis": _plain,
    "rediss": _plain,
    "unix": _unix,
    "redis+sentinel": _sentinel,
    "rediss+sentinel": _sentinel,
    "redis+cluster": _cluster,
    "rediss+cluster": _cluster,
}
