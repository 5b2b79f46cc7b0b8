"""Two sessions per vCenter: a reader that mends itself, and a writer that sends once and reports doubt as doubt.

Only writers are fenced: when a worker is thought dead, its writer session is terminated before anybody repeats its
work, while its reader may live on. Everything that leaves here is one of our own errors.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from pyVmomi import vim, vmodl
from pyVmomi.VmomiSupport import GetServiceVersions, versionIdMap

from bot.errors import LoginError, MaybeSentError, UnreachableError
from bot.vsphere.faults import text_of, translate
from bot.vsphere.port import FaultError
from bot.vsphere.wire import Endpoint, LostReplyError, Unshown, Wire

Answer = TypeVar("Answer")

READER = "coldmigrate-reader"
WRITER = "coldmigrate-writer"
"""What tells our two kinds of session apart in vCenter's list of sessions."""

READ_WITHIN = timedelta(seconds=90)  # must exceed the long poll's wait
LEAVE_WITHIN = timedelta(seconds=5)
"""Whoever does not answer that we leave keeps nobody here: the session ends by itself."""

_SOON = 10  # a failure in a tenth of the time was no waiting
NOT_AUTHENTICATED = "vim.fault.NotAuthenticated"
PAUSES = (timedelta(milliseconds=100), timedelta(seconds=1), timedelta(seconds=3))


@dataclass(frozen=True, slots=True)
class Connected:
    """A session that has logged in. `key` names it in vCenter's session list, `user` as tasks name us."""

    wire: Wire
    content: Any  # vim.ServiceInstanceContent, of which pyVmomi believes that a manager may be missing
    key: str
    user: str


class SpentSessionError(Exception):
    """The session grants no more of something; a new one does. It says so by this fault."""

    def __init__(self, fault: vmodl.MethodFault) -> None:
        super().__init__(text_of(fault))
        self.fault = fault


def log_in(endpoint: Endpoint, *, reply: timedelta, pool: int, agent: str) -> Connected:
    """Log in on a wire of its own, in the newest API version that both sides know."""
    wire = Wire(endpoint, reply=reply, pool=pool, agent=agent)
    try:
        content: Any = vim.ServiceInstance("ServiceInstance", wire).RetrieveContent()
        wire.ComputeVersionInfo(newest_common_version(content.about.apiVersion))
        session = content.sessionManager.Login(endpoint.user, _password(endpoint), None)
    except vim.fault.InvalidLogin as fault:
        raise LoginError(
            f"{endpoint} does not accept the password of {endpoint.user}."
            f" Check user and password in [vcenters.{endpoint.name}]: locked or expired accounts look the same."
        ) from fault
    except vmodl.MethodFault as fault:
        raise LoginError(f"{endpoint} does not let {endpoint.user} log in: {text_of(fault)}") from fault
    except LostReplyError as lost:
        raise UnreachableError(f"{endpoint} went away while we logged in: {lost}.") from lost
    return Connected(wire, content, session.key, session.userName)


def _password(endpoint: Endpoint) -> str:
    try:
        return Unshown(endpoint.password())
    except OSError as error:
        raise LoginError(f"The password of {endpoint.user} for {endpoint} cannot be read: {error.strerror}.") from error


def newest_common_version(api_version: str) -> str:
    """Return pyVmomi's name of the newest vim version that is not newer than `api_version` ("8.0.3.0")."""
    offered = _numbers(api_version)
    known = ((_numbers(versionIdMap[name]), name) for name in GetServiceVersions("vim25"))
    usable = [(numbers, name) for numbers, name in known if numbers and numbers <= offered]
    return str(max(usable)[1])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if re.fullmatch(r"\d+(\.\d+)*", version) else ()


class Reader:
    """A session for questions. It logs in at the first one, again when the session has ended, and asks again a few
    times when the connection dropped; so a question must be one that may be asked twice.
    """

    def __init__(self, endpoint: Endpoint, *, pauses: Sequence[timedelta] = PAUSES) -> None:
        self._endpoint = endpoint
        self._pauses = pauses
        self._lock = threading.Lock()
        self._connected: Connected | None = None
        self._user = endpoint.user
        self._answered: float | None = None
        self._closing = threading.Event()

    @property
    def user(self) -> str:
        """Who we are, as tasks name us; as the config names us until the first login.

        It outlives the session: while we are logged out our own tasks must not look like a stranger's.
        """
        return self._user

    def ask(self, question: Callable[[Connected], Answer]) -> Answer:
        """Put a question, with patience. UnreachableError, LoginError or FaultError when it is over."""
        for pause in self._pauses:
            try:
                return self._ask_once(question)
            except (UnreachableError, vim.fault.NotAuthenticated):
                if self._closing.wait(pause.total_seconds()):
                    break
        try:
            return self._ask_once(question)
        except vim.fault.NotAuthenticated as fault:
            raise _ended_at_once(self._endpoint) from fault

    def look(self, question: Callable[[Connected], Answer], *, within: timedelta) -> Answer:
        """Put a question without patience: whoever asks would rather be told soon. Errors as of `ask`.

        It is put a second time only where that costs nothing: in a new session, or after a connection that had gone
        stale in the pool. Each reply may take `within`.
        """
        begun = time.monotonic()
        try:
            return self._ask_once(question, within)
        except vim.fault.NotAuthenticated:
            pass
        except UnreachableError:
            if time.monotonic() - begun > within.total_seconds() / _SOON:
                raise
        try:
            return self._ask_once(question, within)
        except vim.fault.NotAuthenticated as fault:
            raise _ended_at_once(self._endpoint) from fault

    def _ask_once(self, question: Callable[[Connected], Answer], within: timedelta | None = None) -> Answer:
        """Put it to the session, and once more to a new one if this one is spent."""
        with suppress(SpentSessionError):
            return self._put(question, within)
        try:
            return self._put(question, within)
        except SpentSessionError as spent:
            raise translate(spent.fault) from spent

    def _put(self, question: Callable[[Connected], Answer], within: timedelta | None) -> Answer:
        connected = self.open()
        try:
            with connected.wire.within(within) if within else nullcontext():
                answer = question(connected)
                self.note_answer()
                return answer
        except vim.fault.NotAuthenticated:
            self.forget(connected)
            raise
        except SpentSessionError:
            log_out(connected)
            self.forget(connected)
            raise
        except vmodl.MethodFault as fault:
            raise translate(fault) from fault
        except LostReplyError as lost:
            raise UnreachableError(f"{self._endpoint} went away: {lost}.") from lost

    def note_answer(self) -> None:
        """Note that vCenter has just answered something."""
        self._answered = time.monotonic()

    def answered_within(self, span: timedelta) -> bool:
        """Say whether vCenter answered any question of ours that recently."""
        return self._answered is not None and time.monotonic() - self._answered < span.total_seconds()

    def open(self) -> Connected:
        """Return the session, logging in when there is none. For those who keep objects of the session."""
        with self._lock:
            if self._closing.is_set():
                raise UnreachableError(f"The connection to {self._endpoint} is being closed.")
            if self._connected is None:
                self._connected = log_in(self._endpoint, reply=READ_WITHIN, pool=4, agent=READER)
                self._user = self._connected.user
            return self._connected

    def forget(self, ended: Connected) -> None:
        """Note that this session is no more, and wake who waits in it. A newer one, opened meanwhile, stays."""
        with self._lock:
            if self._connected is ended:
                self._connected = None
        ended.wire.abort()

    def close(self) -> None:
        """Break what is under way and log out; later questions are refused."""
        self._closing.set()
        with self._lock:
            connected, self._connected = self._connected, None
        if connected is not None:
            connected.wire.abort()
        log_out(connected)


class Writer:
    """A session for orders. An order is put on the wire once, on a connection of its own, and never again, unless
    whoever gives it says by `insist` that carrying it out twice is carrying it out once.
    """

    def __init__(self, endpoint: Endpoint, *, submit: timedelta, pauses: Sequence[timedelta] = PAUSES) -> None:
        self._endpoint = endpoint
        self._submit = submit
        self._pauses = pauses
        self._hurried = threading.Event()
        self._lock = threading.Lock()
        self._connected: Connected | None = None

    def key(self) -> str:
        """Return the key of a session that is alive now; log in when there is none."""
        return self._alive().key

    def give(self, order: Callable[[Connected], Answer], *, session: str = "") -> Answer:
        """Carry out one order, once. FaultError: refused. UnreachableError, LoginError: never sent. MaybeSentError.

        With `session` the order is refused when the writer's session is another one by now.
        """
        connected = self._current(session)
        try:
            return order(connected)
        except vim.fault.NotAuthenticated as fault:
            self.forget(connected.key)
            raise translate(fault) from fault
        except vmodl.MethodFault as fault:
            raise translate(fault) from fault
        except LostReplyError as lost:
            raise MaybeSentError(f"{self._endpoint} may have accepted the request: {lost}.") from lost

    def insist(self, order: Callable[[Connected], Answer], *, session: str = "") -> Answer:
        """Carry out an order that may be carried out twice: again when its reply was lost or its session had ended.

        Errors as of `give` when patience is over. With `session` it goes through that session or not at all.
        """
        for pause in self._pauses:
            try:
                return self.give(order, session=session)
            except (MaybeSentError, UnreachableError):
                pass
            except FaultError as error:
                if session or error.kind != NOT_AUTHENTICATED:
                    raise
            if self._hurried.wait(pause.total_seconds()):
                break
        return self.give(order, session=session)

    def hurry(self) -> None:
        """Have no more patience with what is under way: we are about to close."""
        self._hurried.set()

    def _current(self, session: str) -> Connected:
        connected = self._connected
        if connected is None and not session:
            return self._alive()
        if connected is None or session not in {"", connected.key}:
            raise translate(vim.fault.NotAuthenticated(msg="The session that was to send this has ended"))
        return connected

    def _alive(self) -> Connected:
        with self._lock:
            if self._connected is None or not self._answers(self._connected):
                self._connected = log_in(self._endpoint, reply=self._submit, pool=0, agent=WRITER)
            return self._connected

    def _answers(self, connected: Connected) -> bool:
        try:
            return connected.content.sessionManager.currentSession is not None
        except vmodl.MethodFault:  # a vCenter says null; govmomi's simulator says NotAuthenticated
            return False
        except LostReplyError as lost:
            raise UnreachableError(f"{self._endpoint} went away: {lost}.") from lost

    def forget(self, key: str) -> None:
        """Note that this session has been ended; the next order needs a new one."""
        with self._lock:
            if self._connected is not None and self._connected.key == key:
                self._connected = None

    def close(self) -> None:
        """Log out."""
        with self._lock:
            connected, self._connected = self._connected, None
        log_out(connected)


def _ended_at_once(endpoint: Endpoint) -> UnreachableError:
    """Passing, as far as anybody knows, for we were let in each time: whoever has a job gives nothing up for it."""
    return UnreachableError(f"{endpoint} ends every session of {endpoint.user} at once.")


def log_out(connected: Connected | None) -> None:
    """Leave no orphaned session behind, if vCenter can be told at all."""
    if connected is None:
        return
    try:
        with connected.wire.within(LEAVE_WITHIN):
            connected.content.sessionManager.Logout()
    except (vmodl.MethodFault, LostReplyError, UnreachableError, LoginError):
        return  # it has ended already, or will by vCenter's own idle time-out
    finally:
        connected.wire.DropConnections()
