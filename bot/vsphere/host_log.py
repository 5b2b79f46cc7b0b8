"""Hosts' logs through vCenter: BrowseDiagnosticLog, by the names people know logs by.

Each call goes from vCenter on to the host, so callers share one reader per log. Needs the privilege Global.Diagnostics.
A host without a name is the vCenter itself, whose own log is `vpxd`.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyVmomi import vim, vmodl

from bot.vsphere.faults import translate
from bot.vsphere.properties import read_below
from bot.vsphere.session import Connected

PAGE = 500  # vCenter gives no more lines at once
BEYOND_THE_END = 2**31 - 1


class HostLogReader:
    """Reads lines; remembers what hosts are called and which log keys they have. For one vCenter, any thread."""

    def __init__(self) -> None:
        self._hosts: dict[str, str] = {}
        self._keys: dict[tuple[str, str], str] = {}

    def last_line(self, connected: Connected, host: str, log: str) -> int:
        """Return the number of the last line there is now."""
        return int(self._browse(connected, host, log, start=BEYOND_THE_END, lines=0).lineEnd)

    def read(self, connected: Connected, host: str, log: str, *, start: int, lines: int) -> tuple[int, Sequence[str]]:
        """Return lines from `start` on, at most a page, with the number of the last line of the file."""
        header = self._browse(connected, host, log, start=start, lines=min(lines, PAGE))
        return int(header.lineEnd), tuple(header.lineText or ())

    def _browse(self, connected: Connected, host: str, log: str, *, start: int, lines: int) -> Any:
        try:
            where = self._host(connected, host)
            key = self._key(connected, where, host, log)
            return connected.content.diagnosticManager.BrowseDiagnosticLog(where, key, start, lines)
        except vmodl.fault.ManagedObjectNotFound:  # removed and added again, it has a new id
            self._hosts.pop(host, None)
            raise
        except vim.fault.NotAuthenticated:  # a kind of NoPermission, and none of the account's: log in anew
            raise
        except vim.fault.NoPermission as fault:
            whose = host or "this vCenter"
            text = f"{connected.user} may not read logs of {whose}: grant the privilege Global.Diagnostics"
            raise translate(vim.fault.NoPermission(msg=text, privilegeId="Global.Diagnostics")) from fault

    def _host(self, connected: Connected, name: str) -> Any:
        if not name:
            return None
        if name not in self._hosts:
            rows = read_below(connected, connected.content.rootFolder, {vim.HostSystem: ("name",)})
            self._hosts = {row["name"]: row.moid for row in rows if row["name"]}
        if name not in self._hosts:
            raise translate(vmodl.fault.ManagedObjectNotFound(msg=f"This vCenter has no host named {name}"))
        return vim.HostSystem(self._hosts[name], connected.wire)

    def _key(self, connected: Connected, where: Any, host: str, log: str) -> str:
        """Return vCenter's key of a log; keys differ between versions, so they are looked up once per host."""
        if (host, log) not in self._keys:
            offered = [entry.key for entry in connected.content.diagnosticManager.QueryDescriptions(where)]
            for key in offered:
                self._keys[host, key.partition(":")[0]] = key
            if (host, log) not in self._keys:
                text = (
                    f"{host or 'this vCenter'} offers no log named {log}; it has {', '.join(sorted(offered)) or 'none'}"
                )
                raise translate(vmodl.fault.InvalidArgument(msg=text, invalidProperty="key"))
        return self._keys[host, log]
