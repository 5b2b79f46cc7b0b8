"""Who asks for a file, what they may do, and which datastore they mean: on a vCenter, and on a host itself."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from secrets import compare_digest
from typing import Protocol

from aiohttp import hdrs, web

from bot.playground.esxi.https import MACHINE
from bot.playground.vcenter.inventory import Datacenter, Datastore, Host
from bot.playground.vcenter.privileges import Rights
from bot.playground.vcenter.universe import Estate
from bot.playground.world import Account

_SESSION = re.compile(r'vmware_soap_session="?([0-9a-f]+)"?')
_CHALLENGE = {hdrs.WWW_AUTHENTICATE: 'Basic realm="VMware HTTP server"'}
_HOSTS_OWN = "ha-datacenter"

May = Callable[[str, Datastore], bool]


@dataclass(frozen=True)
class Visitor:
    """A client that is known. `busy` is entered while bytes flow: a session that carries them is not idle."""

    may: May
    busy: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass(frozen=True)
class Place:
    """A datastore that a request means, and the host that moves its bytes; vCenter itself moves none."""

    datacenter: str
    store: Datastore
    host: Host


class Access(Protocol):
    """One server's view of datastores."""

    def visitor(self, request: web.Request) -> Visitor:
        """Return who asks. Refuses strangers with 401."""

    def datacenters(self) -> list[str]:
        """Name the datacenters, as a dcPath names them."""

    def places(self, request: web.Request, datacenter: str) -> Iterator[Place]:
        """Yield the datastores of a datacenter. Refuses an unknown one with 404."""


class VCenterAccess:
    """Sessions, users and tickets of a vCenter; its hosts do the work."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def visitor(self, request: web.Request) -> Visitor:
        cookies, rights = request.headers.get(hdrs.COOKIE, ""), self._estate.rights
        found = _SESSION.search(cookies)
        session = self._estate.sessions.of(found[1]) if found else None
        account = session.account if session else _ticket_holder(self._estate, request) or self._user(request)
        if account is None:
            raise web.HTTPUnauthorized(headers=_CHALLENGE)
        return Visitor(_by_rights(rights, account), session.busy if session else nullcontext)

    def _user(self, request: web.Request) -> Account | None:
        user, password = basic_credentials(request)
        account = self._estate.sessions.account(user) if user else None
        return account if account and compare_digest(account.password.encode(), password.encode()) else None

    def datacenters(self) -> list[str]:
        return [entity.name for entity in self._estate.inventory.each(Datacenter)]

    def places(self, request: web.Request, datacenter: str) -> Iterator[Place]:  # noqa: ARG002 - of the door
        found = self._estate.inventory.at(datacenter) if datacenter.strip("/") else None
        if not isinstance(found, Datacenter):
            raise web.HTTPNotFound(text=f"404 Not Found: no datacenter {datacenter!r}")
        for store in self._estate.inventory.each(Datastore):
            if store.datacenter is found:
                yield Place(datacenter.strip("/"), store, _mover(self._estate, store))


class HostAccess:
    """The host's own user, and tickets that vCenter handed out; the request's port says which host is meant."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def visitor(self, request: web.Request) -> Visitor:
        machine, rights = request[MACHINE], self._estate.rights
        holder = _ticket_holder(self._estate, request)
        if holder:
            return Visitor(_by_rights(rights, holder))
        user, password = basic_credentials(request)
        own = machine.account
        if user != own.user or not compare_digest(password.encode(), own.password.encode()):
            raise web.HTTPUnauthorized(headers=_CHALLENGE)
        if machine.lockdown:
            raise web.HTTPForbidden(text="403 Forbidden: the host is in lockdown mode")
        return Visitor(lambda _privilege, _store: True)

    def datacenters(self) -> list[str]:
        return [_HOSTS_OWN]

    def places(self, request: web.Request, datacenter: str) -> Iterator[Place]:
        if datacenter not in {"", _HOSTS_OWN}:
            raise web.HTTPNotFound(text=f"404 Not Found: no datacenter {datacenter!r}")
        host = self._estate.host(request[MACHINE].name)
        for store in host.datastores:
            yield Place(_HOSTS_OWN, store, host)


def _by_rights(rights: Rights, account: Account) -> May:
    return lambda privilege, store: rights.may(account, privilege, store)


def basic_credentials(request: web.Request) -> tuple[str, str]:
    """Return user and password of a request, empty where it has none."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _ticket_holder(estate: Estate, request: web.Request) -> Account | None:
    return estate.doors.tickets.redeem(
        request.headers.get(hdrs.COOKIE, ""),
        method=request.method,
        path=request.rel_url.raw_path,
        store=request.query.get("dsName", ""),
    )


def _mover(estate: Estate, store: Datastore) -> Host:
    """Return a host that vCenter can have files moved by. Refuses with 503 where none is connected."""
    for host in estate.inventory.each(Host):
        if host.connected and store in host.datastores:
            return host
    raise web.HTTPServiceUnavailable(text="503 Service Unavailable: no connected host has the datastore")
