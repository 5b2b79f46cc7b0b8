"""The DiagnosticManager: which logs a host has, and their lines, page by page."""

from __future__ import annotations

from bot.playground.esxi.host_log import KEYS
from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.inventory import Host
from bot.playground.vcenter.wire import Data

PAGE = 500
"""vCenter never hands out more lines at once (govmomi, object/diagnostic_log.go)."""
_FIRST = 1


def _host(call: Call) -> Host:
    ref = call.args.reference("host")
    if ref is None:
        raise faults.not_supported("the logs of the vCenter itself are not played")
    host = call.estate.inventory.find(ref)
    if not isinstance(host, Host):
        raise faults.not_found(ref)
    return host


@method("QueryDescriptions", on="DiagnosticManager", privilege="Global.Diagnostics")
async def query_descriptions(call: Call) -> str:
    _host(call)
    descriptors = [
        Data(
            "DiagnosticManagerLogDescriptor",
            key=key,
            fileName=f"/var/log/{key}.log",
            creator="vmkernel" if key == "vmkernel" else key,
            format="plain",
            mimeType="text/plain",
            info=Data("Description", label=key, summary=f"Log of {key}"),
        )
        for key in KEYS
    ]
    return returned(descriptors, "DiagnosticManagerLogDescriptor")


@method("BrowseDiagnosticLog", on="DiagnosticManager", privilege="Global.Diagnostics")
async def browse_diagnostic_log(call: Call) -> str:
    """Return lines from `start` on, counted from 1; lineEnd is the log's last line, which is how govmomi reads it."""
    host, key = _host(call), call.args.value("key") or ""
    if key not in KEYS:
        raise faults.cannot_access_file(key)
    if not host.connected:
        raise faults.host_state(host.name, "is not responding")
    lines = host.logs.lines(key)
    start, wanted = call.args.number("start"), call.args.number("lines")
    first = _FIRST if start is None else max(start, _FIRST)
    count = PAGE if wanted is None else min(max(wanted, 0), PAGE)
    text = lines[first - 1 : first - 1 + count]
    header = Data("DiagnosticManagerLogHeader", lineStart=min(first, len(lines)), lineEnd=len(lines), lineText=text)
    return returned(header, "DiagnosticManagerLogHeader")
