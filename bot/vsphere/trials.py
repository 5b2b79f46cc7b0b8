"""What this program believes of vCenter and hosts and can be tried by reading alone: each trial tells what it saw.

Nothing is judged: whoever has a real vCenter compares it with what is believed (`bot/cli/verify.toml`). A trial that
fails tells that; host names and addresses may be in what it tells.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from pyVmomi import vim

from bot.errors import ColdmigrateError
from bot.migration.facts import HostFacts
from bot.migration.path import management_of
from bot.vsphere.esxcli import Esxcli, rows_of
from bot.vsphere.examination_look import WITHIN, Patient
from bot.vsphere.examination_site import usable
from bot.vsphere.host_log import BEYOND_THE_END, PAGE
from bot.vsphere.port import FaultError
from bot.vsphere.properties import read_below
from bot.vsphere.session import PAUSES, Connected, Reader
from bot.vsphere.site_facts import read_site
from bot.vsphere.vmkernel import DEFAULT_STACK

_OPID: Final = re.compile(r"opID=([\w@:.-]+)")
_SHAPES: Final = 6
_SAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Ground:
    """Where it is tried: a session, a host of a site, and another host if there is one."""

    connected: Connected
    host: HostFacts
    other: HostFacts

    @property
    def reference(self) -> Any:
        return vim.HostSystem(self.host.moid, self.connected.wire)

    def esxcli(self, command: str, **given: object) -> list[Mapping[str, Any]]:
        return rows_of(Esxcli().run(self.connected, self.host.name, command, given=given))

    def browse(self, key: str, start: int, lines: int) -> Any:
        manager = self.connected.content.diagnosticManager
        return manager.BrowseDiagnosticLog(self.reference, key, start, lines)

    def log_keys(self) -> list[str]:
        manager = self.connected.content.diagnosticManager
        return [str(one.key) for one in manager.QueryDescriptions(self.reference)]


def attempt(patient: Patient, trials: Sequence[str]) -> dict[str, str]:
    """Try these at the first hosts of a vCenter's sites; what each of them saw. Blocks."""
    reader = Reader(patient.endpoint, pauses=PAUSES[:1])
    try:
        hosts = [host for site in patient.sites for host in usable(reader.ask(partial(_site, site)))]
        if not hosts:
            return dict.fromkeys(trials, "there is no host to try it on")
        return {name: _tried(reader, hosts, TRIALS[name]) for name in trials}
    except ColdmigrateError as failure:
        return dict.fromkeys(trials, f"not tried: {failure}")
    finally:
        reader.close()


def _site(site: Any, connected: Connected) -> Any:
    return read_site(connected, site)


def _tried(reader: Reader, hosts: Sequence[HostFacts], trial: Callable[[Ground], str]) -> str:
    try:
        return reader.look(lambda connected: trial(Ground(connected, hosts[0], hosts[-1])), within=WITHIN)
    except ColdmigrateError as failure:
        return f"it failed: {failure}"


def _ping(ground: Ground) -> str:
    return _pinged(ground, count=3)


def _ping_interval(ground: Ground) -> str:
    return _pinged(ground, count=5, interval="0.1")


def _pinged(ground: Ground, **given: object) -> str:
    target = management_of(ground.other)
    address = target.address if target else ""
    began = time.monotonic()
    (row,) = ground.esxcli("network diag ping", host=address, **given)
    took = time.monotonic() - began
    summary: Mapping[str, Any] = row.get("Summary") or {}
    told = ", ".join(f"{name}={value}" for name, value in summary.items() if name != "HostAddr")
    return f"{ground.host.name} ({ground.host.version}) to {address}: {told}; the call took {took * 1000:.0f} ms"


def _unknown_name(ground: Ground) -> str:
    try:
        ground.esxcli("network diag ping", host="no-such-host.invalid", count=1)
    except FaultError as failure:
        return f"{ground.host.version}: {failure}"
    return f"{ground.host.version}: it was no error"


def _netstacks(ground: Ground) -> str:
    stacks = sorted({vmk.netstack for vmk in ground.host.interfaces} - {"", DEFAULT_STACK})
    told = [f"without netstack: {len(ground.esxcli('network ip connection list'))}"]
    told += [f"{one}: {len(ground.esxcli('network ip connection list', netstack=one))}" for one in stacks]
    return f"{ground.host.name}, connections {', '.join(told)}" + ("" if stacks else "; it has no other stack")


def _line_end(ground: Ground) -> str:
    key = next((one for one in ground.log_keys() if one.partition(":")[0] == "vpxa"), "vpxa")
    end = int(ground.browse(key, BEYOND_THE_END, 0).lineEnd)
    at, after = ground.browse(key, end, 1), ground.browse(key, end + 1, 1)
    counts = f"{len(at.lineText or ())} line from lineEnd, {len(after.lineText or ())} from lineEnd + 1"
    return f"{key} of {ground.host.name}: lineEnd {end}; {counts} (a line that was written meanwhile counts there)"


def _log_keys(ground: Ground) -> str:
    manager = ground.connected.content.diagnosticManager
    own = [str(one.key) for one in manager.QueryDescriptions(None)]
    return f"{ground.host.version}: {', '.join(sorted(ground.log_keys()))}; vCenter: {', '.join(sorted(own))}"


def _operation_ids(ground: Ground) -> str:
    """Shapes alone: letters become a and digits 9, so that nothing of the site is in them."""
    told = []
    for key in ground.log_keys():
        if key.partition(":")[0] not in {"vpxa", "hostd"}:
            continue
        end = int(ground.browse(key, BEYOND_THE_END, 0).lineEnd)
        lines = ground.browse(key, max(1, end - PAGE + 1), PAGE).lineText or ()
        found = [name for line in lines for name in _OPID.findall(line)]
        ours = sorted({name for name in found if name.startswith("cm-")})
        shapes = sorted({re.sub(r"[0-9]+", "9", re.sub(r"[A-Za-z]+", "a", name)) for name in found})
        told.append(
            f"{key}: {len(ours)} of ours ({', '.join(ours[:_SAMPLES]) or 'none'}), {', '.join(shapes[:_SHAPES])}"
        )
    return "; ".join(told) or "there is no such log"


def _layout(ground: Ground) -> str:
    wanted = {vim.VirtualMachine: ("layoutEx.timestamp", "layoutEx.file", "runtime.powerState")}
    rows = read_below(ground.connected, ground.connected.content.rootFolder, wanted)
    ages = [
        (datetime.now(UTC) - row["layoutEx.timestamp"].astimezone(UTC)).total_seconds() / 3600
        for row in rows
        if row["layoutEx.timestamp"] is not None
    ]
    if not ages:
        return f"none of {len(rows)} VMs has a timestamp"
    return f"of {len(ages)} VMs the files were looked at {min(ages):.1f} to {max(ages):.1f} hours ago"


def _uuid_case(ground: Ground) -> str:
    rows = read_below(ground.connected, ground.connected.content.rootFolder, {vim.VirtualMachine: ("config.uuid",)})
    uuid = next((str(row["config.uuid"]) for row in rows if row["config.uuid"]), "")
    if not uuid:
        return "there is no VM to look for"
    search = ground.connected.content.searchIndex
    small, large = (search.FindAllByUuid(None, text, True) or () for text in (uuid.lower(), uuid.upper()))
    return f"in small letters {len(small)} found, in capitals {len(large)}"


def _session_agent(ground: Ground) -> str:
    session = ground.connected.content.sessionManager.currentSession
    return f"this session is shown as {session.userAgent!r}"


TRIALS: Final[Mapping[str, Callable[[Ground], str]]] = MappingProxyType(
    {
        "ping": _ping,
        "ping-interval": _ping_interval,
        "unknown-name": _unknown_name,
        "netstacks": _netstacks,
        "line-end": _line_end,
        "log-keys": _log_keys,
        "operation-ids": _operation_ids,
        "layout": _layout,
        "uuid-case": _uuid_case,
        "session-agent": _session_agent,
    }
)
