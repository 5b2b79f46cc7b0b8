"""HostDateTimeSystem: what a host believes the time to be. vCenter asks the host at every call."""

from __future__ import annotations

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.inventory import Host


@method("QueryDateTime", on="HostDateTimeSystem", privilege="System.Read")
async def query_date_time(call: Call) -> str:
    """Return the host's own time, which is ahead of the true one by what the world file says."""
    host = call.reader.find(call.request.target)
    if not isinstance(host, Host):
        raise faults.not_found(call.request.target)
    if host.connected:
        await call.estate.machine(host).think()
    if not host.connected:
        raise faults.host_not_connected(host.name)
    return returned(call.estate.universe.clock() + call.estate.diary(host).offset, "dateTime")
