"""The method that hands out a ticket for one HTTP request."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.inventory import Host
from bot.playground.vcenter.wire import Data

_METHODS = {f"http{verb.capitalize()}": verb for verb in ("GET", "HEAD", "PUT", "POST", "DELETE")}


@method("AcquireGenericServiceTicket", on="SessionManager", privilege="System.View")
async def acquire_generic_service_ticket(call: Call) -> str:
    """Hand a ticket out for a URL on this vCenter or one of its hosts. Refuses others with InvalidArgument.

    Where no method is given, GET is meant (invented). HEAD goes with a ticket for GET.
    """
    spec = call.args.one("spec")
    if spec is None or spec.type != "SessionManagerHttpServiceRequestSpec":
        raise faults.invalid_argument("spec", "only SessionManagerHttpServiceRequestSpec is played")
    verb, url = _METHODS.get(spec.value("method") or "httpGet"), spec.value("url") or ""
    if verb is None:
        raise faults.invalid_argument("spec.method")
    doors, presence, authority = call.estate.doors, call.estate.presence, urlsplit(url).netloc
    host = doors.host_at(authority, list(call.estate.inventory.each(Host)))
    if host is None and authority != urlsplit(presence.url).netloc:
        raise faults.invalid_argument("spec.url", "it leads to no server of this vCenter")
    ticket = doors.tickets.issue(call.session.account, url, method={"HEAD": "GET"}.get(verb, verb))
    answer = Data(
        "SessionManagerGenericServiceTicket",
        id=ticket.id,
        hostName=host.name if host else None,
        sslThumbprint=(doors.thumbprint(host) if host else presence.thumbprint) or None,
        ticketType="HttpServiceTicket",
    )
    return returned(answer, "SessionManagerGenericServiceTicket")
