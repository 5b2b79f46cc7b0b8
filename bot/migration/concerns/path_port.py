"""Nobody listens, nobody is copied to: whether the destination itself has a listener on the ports of the path."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, survey, unknown, warn
from bot.migration.plan import Severity

AGENTS = {902: "NFC: nfcd on 8.x, hostd or vpxa before (KB 420991)", 8000: "vMotion, which carries UDT"}


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of a port of the path without a listener, or of a host that answers nothing at all."""
    measured = choice.survey.measured if choice.survey else None
    if measured is None:
        return
    path = measured.path or choice.path
    ports = sorted({leg.port for leg in (path.data, path.control)} if path else measured.listening)
    for port in ports:
        if port not in measured.listening and measured.listening:  # a quick look asks for none
            yield unknown(f"whether host {measured.target_host} listens on TCP {port}")
        elif not measured.listening.get(port, True):
            yield warn(f"Host {measured.target_host} has no listener on TCP {port} ({AGENTS.get(port, 'the copy')}).")
    for way, pings in (("this path", measured.small), ("the path of NFC's control", measured.control)):
        if pings is not None and pings.sent and not pings.received:
            yield warn(f"Host {measured.target_host} answers no echo request of {measured.source_host} on {way}.")


GUARD = Guard(
    id="path-port",
    when="The destination has no listener on a port of the path, or does not answer at all.",
    weights=(Severity.WARN,),
    lifted_by="whoever keeps that host and the firewalls between",
    check=check,
    rests_on=survey("measured"),
)
