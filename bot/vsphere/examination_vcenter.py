"""A vCenter: whether it is there, proves who it is and lets us in; its version and clock, and our sessions in it."""

# mypy: allow-untyped-calls
from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Final

from cryptography import x509
from pyVmomi import vim

from bot.errors import ColdmigrateError, UnreachableError
from bot.finding import Finding, Verdict, error, fine, warning
from bot.migration.concerns.clock_offsets import TOO_FAR, WORTH_SAYING
from bot.vsphere.examination_look import Check, Look
from bot.vsphere.far import read_identity, thumbprint
from bot.vsphere.port import FaultError
from bot.vsphere.session import READER, WRITER, Connected
from bot.vsphere.wire import Endpoint, connect

EXPIRES_SOON: Final = timedelta(days=30)
OLDEST: Final = (7, 0)
"""The first release that the API of this program was looked up for."""

SLOW: Final = timedelta(milliseconds=500)
UNUSED: Final = timedelta(minutes=15)
"""A reader asks something every minute or so; one that is silent for so long belongs to nobody."""

_ROUND_TRIPS: Final = 5


def reached(look: Look) -> Iterator[Finding]:
    """Whether it can be reached, is who it is, and lets us in."""
    endpoint = look.patient.endpoint
    try:
        certificate = _certificate(endpoint)
    except UnreachableError as failure:
        yield error(
            f"vcenter.{look.name}.reachable", str(failure), do=f"Check vcenters.{look.name}.url and the network."
        )
        return
    except ColdmigrateError as failure:
        yield error(f"vcenter.{look.name}.certificate", str(failure), do="Ask its administrator, then mend the config.")
        return
    yield fine(f"vcenter.{look.name}.reachable", f"{endpoint} answers.")
    yield _validity(look.name, endpoint, certificate)
    about = f"vcenter.{look.name}.login"
    try:
        user = look.ask(lambda connected: connected.user)
    except ColdmigrateError as failure:
        yield error(about, str(failure), do=f"Check the account of [vcenters.{look.name}]; nothing more was looked at.")
        return
    yield fine(about, f"Logged in as {user}.")


def let_in(found: Sequence[Finding]) -> bool:
    """Whether that went well enough to go on."""
    return any(one.about.endswith(".login") and one.verdict is Verdict.OK for one in found)


def checks(look: Look) -> list[tuple[str, Check]]:
    """What else there is to look at."""
    about = f"vcenter.{look.name}"
    return [
        (f"{about}.version", partial(_version, look, f"{about}.version")),
        (f"{about}.clock", partial(_clock, look, f"{about}.clock")),
        (f"{about}.round-trip", partial(_round_trip, look, f"{about}.round-trip")),
        (f"{about}.sessions", partial(_sessions, look, f"{about}.sessions")),
        *([(f"{about}.identity", partial(_identity, look, f"{about}.identity"))] if look.patient.extent.across else []),
    ]


def _certificate(endpoint: Endpoint) -> x509.Certificate:
    """The certificate of a new connection, which has passed our own check. UnreachableError, LoginError."""
    with closing(connect(endpoint)) as connection:
        return x509.load_der_x509_certificate(connection.sock.getpeercert(binary_form=True) or b"")


def _validity(name: str, endpoint: Endpoint, certificate: x509.Certificate) -> Finding:
    about, ends = f"vcenter.{name}.certificate", certificate.not_valid_after_utc
    how = "is the one that is pinned" if endpoint.trust.pin else "is trusted"
    left = ends - datetime.now(UTC)
    if left < timedelta(0):
        renew = "Let its administrator renew it, then set `thumbprint` anew."
        return error(about, f"Its certificate {how} and ended on {ends:%Y-%m-%d}.", do=renew)
    if left < EXPIRES_SOON:
        what = f"Its certificate {how} and ends on {ends:%Y-%m-%d}, in {left.days} days."
        pinned = " Set `thumbprint` anew then." if endpoint.trust.pin else ""
        return warning(about, what, do=f"Let its administrator renew it: nobody gets in after that.{pinned}")
    return fine(about, f"Its certificate {how}, until {ends:%Y-%m-%d}.")


def _version(look: Look, about: str) -> Iterator[Finding]:
    told = look.ask(lambda connected: connected.content.about)
    name, numbers = f"{told.fullName}", tuple(int(part) for part in (told.apiVersion or "0").split(".")[:2])
    if told.apiType != "VirtualCenter":
        yield error(about, f"{name}: it is no vCenter.", do=f"Let vcenters.{look.name}.url name a vCenter, not a host.")
    elif numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        yield warning(
            about, f"{name}: nothing older than {oldest} was looked up.", do="Try a VM that nobody needs first."
        )
    else:
        yield fine(about, f"{name}, API {told.apiVersion}.")


def _clock(look: Look, about: str) -> Iterator[Finding]:
    """Against ours; what the way of the answer may account for is no difference."""
    before, began = datetime.now(UTC), time.monotonic()
    theirs = look.ask(_now)
    unsure = timedelta(seconds=(time.monotonic() - began) / 2)
    ahead = theirs - (before + unsure)
    look.ahead = ahead if abs(ahead) > unsure else timedelta(0)
    if abs(look.ahead) <= WORTH_SAYING:
        yield fine(about, "Its clock and ours agree.")
        return
    side = "ahead of" if ahead > timedelta(0) else "behind"
    says = f"Its clock is {abs(ahead).total_seconds():.0f} s {side} ours."
    judged = error if abs(ahead) > TOO_FAR else warning
    yield judged(about, says, do="Let both keep the time by NTP: logs and tasks are told apart by it.")


def _now(connected: Connected) -> datetime:
    moment: datetime = vim.ServiceInstance("ServiceInstance", connected.wire).CurrentTime()
    return moment.astimezone(UTC)


def _round_trip(look: Look, about: str) -> Iterator[Finding]:
    took = []
    for _ in range(_ROUND_TRIPS):
        began = time.monotonic()
        look.ask(_now)
        took.append(time.monotonic() - began)
    each = timedelta(seconds=median(took))
    says = f"A question takes {each.total_seconds() * 1000:.0f} ms."
    if each > SLOW:
        yield warning(about, says, do="Run workers nearer to this vCenter, or ask why it is slow.")
    else:
        yield fine(about, says)


def _sessions(look: Look, about: str) -> Iterator[Finding]:
    """Ours, by what they say of themselves; the list needs Sessions.TerminateSession, which is told elsewhere."""
    try:
        user, shown = look.ask(lambda connected: (connected.user, connected.content.sessionManager.sessionList or ()))
    except FaultError:  # the privilege that it takes is told among the privileges
        yield fine(about, "Sessions are not shown to our account.")
        return
    now = look.ask(_now)
    ours = [one for one in shown if one.userName == user]
    silent = [one for one in ours if one.userAgent == READER and now - one.lastActiveTime.astimezone(UTC) > UNUSED]
    others = sorted({one.userAgent or "unknown" for one in ours} - {READER, WRITER})
    if silent:
        yield warning(
            about,
            f"{len(silent)} of our {len(ours)} sessions have been used by nobody for {UNUSED.seconds // 60} minutes.",
            do="They end by vCenter's idle time-out. Many of them mean that workers are killed: see their logs.",
        )
    elif others:
        yield warning(
            about,
            f"Somebody else uses this account: {', '.join(others)}.",
            do="Use it for this program alone: a migration that is started by hand must not look like ours.",
        )
    else:
        yield fine(about, f"Ours: {len(ours)}, this one among them; none is unused.")


def _identity(look: Look, about: str) -> Iterator[Finding]:
    """What other vCenters are told of this one, when a VM is moved to it."""
    endpoint = look.patient.endpoint
    known = look.ask(lambda connected: read_identity(connected, endpoint))
    yield fine(about, f"For other vCenters it is {known.instance_uuid}, and its thumbprint {thumbprint(endpoint)}.")
