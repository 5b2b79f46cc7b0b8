"""The DiagnosticManager: which logs a host or the vCenter itself has, and their lines, page by page.

vCenter fetches a host's lines from the host at every call, so a host that is away or slow shows here too.
"""

from __future__ import annotations

from bot.playground.esxi.host_log import HostLogs
from bot.playground.esxi.line_forms import Generation
from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.inventory import Host
from bot.playground.vcenter.wire import Data

PAGE = 500
"""vCenter never hands out more lines at once (govmomi, object/diagnostic_log.go)."""
_FIRST = 1
_OWN = "vpxd:vpxd.log"
"""The key of vCenter's own log: it names process and file (govmomi, object/diagnostic_manager.go)."""
_FOLDERS_OF_OLD = {"vpxa": "/var/log/vmware/vpx", "hostd": "/var/log/vmware", "vmkernel": "/var/log"}
"""Where ESX 4.x kept its logs; from 5.0 on all are in /var/log (LOG_FORMATS section 6)."""


def _host(call: Call) -> Host | None:
    """Return the host that is meant, None for the vCenter itself."""
    ref = call.args.reference("host")
    if ref is None:
        return None
    host = call.estate.inventory.find(ref)
    if not isinstance(host, Host):
        raise faults.not_found(ref)
    return host


@method("QueryDescriptions", on="DiagnosticManager", privilege="Global.Diagnostics")
async def query_descriptions(call: Call) -> str:
    host = _host(call)
    if host is None:
        return returned([_described(_OWN, "vpxd", "/var/log/vmware/vpxd/vpxd.log")], "DiagnosticManagerLogDescriptor")
    await _reached(call, host)
    descriptors = [_described(key, key, f"{_folder(host.logs, key)}/{key}.log") for key in host.logs.keys]
    return returned(descriptors, "DiagnosticManagerLogDescriptor")


def _folder(logs: HostLogs, key: str) -> str:
    old = Generation.of(logs.version) is Generation.A and not logs.version.startswith("5.")
    return _FOLDERS_OF_OLD[key] if old else "/var/log"


def _described(key: str, creator: str, file: str) -> Data:
    return Data(
        "DiagnosticManagerLogDescriptor",
        key=key,
        fileName=file,
        creator=creator,
        format="plain",
        mimeType="text/plain",
        info=Data("Description", label=key, summary=f"Log of {creator}"),
    )


@method("BrowseDiagnosticLog", on="DiagnosticManager", privilege="Global.Diagnostics")
async def browse_diagnostic_log(call: Call) -> str:
    """Return lines from `start` on, counted from 1; lineEnd is the log's last line, which is how govmomi reads it."""
    host, key = _host(call), call.args.value("key") or ""
    if host is None:
        lines = call.estate.chronicle.read() if key in {_OWN, "vpxd"} else None
    else:
        await _reached(call, host)
        lines = host.logs.lines(key) if key in host.logs.keys else None
    if lines is None:
        raise faults.cannot_access_file(key)
    start, wanted = call.args.number("start"), call.args.number("lines")
    first = _FIRST if start is None else max(start, _FIRST)
    count = PAGE if wanted is None else min(max(wanted, 0), PAGE)
    text = lines[first - 1 : first - 1 + count]
    header = Data("DiagnosticManagerLogHeader", lineStart=min(first, len(lines)), lineEnd=len(lines), lineText=text)
    return returned(header, "DiagnosticManagerLogHeader")


async def _reached(call: Call, host: Host) -> None:
    """Wait until the host answers. Refuses with HostNotConnected where it never will."""
    if host.connected:
        await call.estate.machine(host).think()
    if not host.connected:
        raise faults.host_not_connected(host.name)
