"""Logins of one vCenter: accounts, sessions, cookies, and the objects that live and die with a session."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.playground.vcenter import faults
from bot.playground.vcenter.inventory import Entity
from bot.playground.vcenter.privileges import Rights, principal
from bot.playground.vcenter.wire import Data, Ref
from bot.playground.world import Account

SESSION_MANAGER = Ref("SessionManager", "SessionManager")


@dataclass(eq=False)
class Session:
    """One login. `objects` are its views, collectors and filters by MoRef; `alive` ends with the login."""

    key: str
    cookie: str = field(repr=False)
    account: Account
    login_time: datetime
    last_active: datetime
    agent: str
    address: str
    rights: Rights = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)
    calls: int = 0
    under_way: int = 0
    """Calls that have not been answered yet; a session that waits is not idle."""
    alive: bool = True
    objects: dict[Ref, object] = field(default_factory=dict)

    @property
    def user(self) -> str:
        """The account as a vCenter spells it in sessions and tasks."""
        return principal(self.account.user)

    def may(self, privilege: str, entity: object = None) -> bool:
        """Say whether it may do this on an entity; without one, or on a manager, on the root folder."""
        return self.rights.may(self.account, privilege, entity)

    def sees(self, entity: Entity) -> bool:
        return self.rights.uniform(self.account) or self.rights.sees(self.account, entity)

    @property
    def reads_everything(self) -> bool:
        return self.rights.uniform(self.account) and self.may("System.Read") and not self.account.withheld

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Be at work on a call; when it ends, the session has just been active."""
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            self.last_active = self.clock()

    def keep(self, type_: str, thing: object) -> Ref:
        """Give an object of this session a MoRef."""
        ref = Ref(type_, f"session[{self.key}]{uuid.uuid4()}")
        self.objects[ref] = thing
        return ref

    @property
    def data(self) -> Data:
        return Data(
            "UserSession",
            key=self.key,
            userName=self.user,
            fullName=self.user,
            loginTime=self.login_time,
            lastActiveTime=self.last_active,
            locale="en",
            messageLocale="en",
            extensionSession=False,
            ipAddress=self.address,
            userAgent=self.agent,
            callCount=self.calls,
        )


class Sessions:
    """Who is logged in. `on_end` is told of every session that ended, so that its long polls return."""

    def __init__(
        self, accounts: tuple[Account, ...], rights: Rights, *, clock: Callable[[], datetime], idle: timedelta
    ) -> None:
        self._accounts = accounts
        self._rights = rights
        self._clock = clock
        self._idle = idle
        self._by_cookie: dict[str, Session] = {}
        self.on_end: Callable[[Session], None] = lambda _session: None

    def login(self, user: str, password: str, *, agent: str, address: str) -> Session:
        """Open a session. Refuses with the InvalidLogin fault."""
        found = self.account(user)
        if found is None or not secrets.compare_digest(found.password.encode(), password.encode()):
            raise faults.invalid_login()
        now = self._clock()
        session = Session(
            str(uuid.uuid4()), secrets.token_hex(20), found, now, now, agent, address, self._rights, self._clock
        )
        self._by_cookie[session.cookie] = session
        return session

    def change_password(self, user: str, password: str) -> None:
        """Give an account another password; who is logged in stays so. KeyError for a user that does not exist."""
        found = self.account(user)
        if found is None:
            raise KeyError(f"no account named {user!r}")
        changed = found.model_copy(update={"password": password})
        self._accounts = tuple(changed if one is found else one for one in self._accounts)

    def account(self, user: str) -> Account | None:
        """Return an account by either spelling of its name, whatever the case."""
        wanted = user.casefold()
        return next((a for a in self._accounts if wanted in {a.user.casefold(), principal(a.user).casefold()}), None)

    def of(self, cookie: str | None) -> Session | None:
        """Return the session behind a cookie, if it is still open; the call counts as activity."""
        self.sweep()
        session = self._by_cookie.get(cookie) if cookie else None
        if session is None:
            return None
        session.last_active = self._clock()
        session.calls += 1
        return session

    def sweep(self) -> None:
        """End the sessions that have been idle for too long."""
        horizon = self._clock() - self._idle
        for session in [s for s in self._by_cookie.values() if s.last_active < horizon and not s.under_way]:
            self.end(session)

    def all(self) -> list[Session]:
        self.sweep()
        return list(self._by_cookie.values())

    def end(self, session: Session) -> None:
        """Close a session and everything that lived in it."""
        self._by_cookie.pop(session.cookie, None)
        session.alive = False
        session.objects.clear()
        self.on_end(session)
