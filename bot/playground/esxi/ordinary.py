"""What a healthy host writes into its logs all day, each text with its source (see `phrases` for what sources are).

Nothing here is a failure: a diagnosis of these lines finds no incident. Only tables; `diary` says when. What guests of
the host do (backups, replication), and what happens to its wires, is in `visitors`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.playground.esxi.line_forms import Generation
from bot.playground.esxi.phrases import INVENTED, Phrase

_BEGIN8 = "neg-vpxa8-begin-finish"
_RESERVE = "neg-vpxa-reservename-journal"
_SYS = "LOG_FORMATS section 2 [SYS]"
_TAIL_2025 = "public notes with the log tails of an ESXi 8 host, 2025-12-11 (text-index id 30336000303)"
_VMOTION = "virtuallypeculiar.com, understanding vmkernel.log for vMotion, 2015-12-25 (ESXi 6.0)"
_TASKS_2010 = "KB on unexpected reboots, hostd line of 2010-03-16 (text-index id 11326963209)"
_TASKS_2015 = "hostd line of 2015-05-20 (text-index id 21450142831)"
_STATES_2018 = "hostd lines of 2018-07-05 (text-index id 144187428)"
_STATES_2008 = "hostd lines of 2008-07-26, ESX 3.5 (text-index id 8493375402)"
_TASKS_2026 = "hostd line of an ESXi 8 host, 2026-09-25 (text-index id 68809308646)"


@dataclass(frozen=True)
class Noise:
    """Lines that belong together and share one opID, which may be empty.

    `share` is how often they come beside the others of their table. `complains` marks lines that look like trouble and
    are none: a reader that goes by the words alone takes them for a failure.
    """

    op_id: str
    phrases: tuple[Phrase, ...]
    share: int = 10
    complains: bool = False


def _lro(op_id: str, call: str, source: str, *, ends_after: int = 1) -> Noise:
    """One operation of vpxa from its BEGIN to its FINISH; they make up the bulk of its log."""
    return Noise(op_id, (
        Phrase("vpxa", "info", "vpxLro", f"[VpxLRO] -- BEGIN lro-{{lro}} -- {call} -- {{session}}", source),
        Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", source, ends_after),
    ), share=20)  # fmt: skip


def _task(op_id: str, call: str, source: str, *, share: int = 3) -> Noise:
    """Somebody's task on the host, as hostd notes it."""
    return Noise(op_id, (
        Phrase("hostd", "info", "TaskManager", f"Task Created : haTask-{call}-{{serial}}", source,
               later="Vimsvc.TaskManager"),
        Phrase("hostd", "info", "TaskManager", f"Task Completed : haTask-{call}-{{serial}} Status success", source, 40,
               later="Vimsvc.TaskManager"),
    ), share)  # fmt: skip


def _power_on(source: str) -> Noise:
    """A VM that somebody starts."""
    vm = "vm:/vmfs/volumes/{volume}/{vm}/{vm}.vmx"
    return Noise("{hex8}-{hex8b}-2b-5d", (
        Phrase("hostd", "info", vm, "State Transition (VM_STATE_OFF -> VM_STATE_POWERING_ON)", source,
               later=f"Vmsvc.{vm}"),
        Phrase("hostd", "info", vm, "State Transition (VM_STATE_POWERING_ON -> VM_STATE_ON)", source, 900,
               later=f"Vmsvc.{vm}"),
    ), 2)  # fmt: skip


def _vmotion(source: str) -> Noise:
    """Somebody else's hot migration, seen by the kernel."""
    return Noise("", (
        Phrase("vmkernel", "info", "",
               "Migrate: vm {world}: 3284: Setting VMOTION info: Source ts = {serial}000000, src ip = <{lan}.176> "
               "dest ip = <{lan}.177> Dest wid = {small} using SHARED swap", source, suffix="none"),
        Phrase("vmkernel", "info", "", "Tcpip_Vmk: 1288: Affinitizing {lan}.176 to world {world}, Success", source, 2,
               "none"),
        Phrase("vmkernel", "info", "", "VMotion: 2734: {serial}000000 S: Set ip address '{lan}.176' worldlet affinity "
               "to send World ID {world}", source, 2, "none"),
    ), 2)  # fmt: skip


def _kernel(body: str, source: str, *, share: int = 10) -> Noise:
    return Noise("", (Phrase("vmkernel", "info", "", body, source, suffix="none"),), share)


_LATE = (
    _lro("PollQuickStatsLoop-{hex8}-fb", "vpxa -- vpxapi.VpxaService.fetchQuickStats", _BEGIN8),
    _lro("HB-host-{small}@{small}-{hex8}-2d", "vpxa -- vpxapi.VpxaService.getChanges", _BEGIN8),
    _lro("{hex8}-3a", "networkSystem -- vim.host.NetworkSystem.queryNetworkHint", _BEGIN8, ends_after=3),
    _lro("{hex8}", "vpxa -- vpxapi.VpxaService.queryVpxaStatus", _TAIL_2025),
    Noise("resourcePoolImpl.cpp:1737-{hex8}", (
        Phrase("vpxa", "info", "vpxaInvtHost", "Increment master gen. no to ({small}): "
               "ResourcePool:VpxaInvtHostResPoolListener::ConfigChanged", _BEGIN8),
    )),
    Noise("", (
        Phrase("hostd", "info", "Libs",
               "SOCKET creating new socket, connecting to /var/run/vmware/usbarbitrator-socket",
               "neg-hostd8-libs-usbarb-connect-failed", 0, "none"),
        Phrase("hostd", "info", "Libs", "SOCKET connect failed, error 2: No such file or directory",
               "neg-hostd8-libs-usbarb-connect-failed", 0, "none"),
        Phrase("hostd", "warning", "Libs", "USBArbLib: Failed to connect to USB Arbitrator, "
               "arbSocketname(/var/run/vmware/usbarbitrator-socket). Error(0x6): Connection error.",
               "neg-hostd8-libs-usbarb-connect-failed", 0, "none"),
    )),
    Noise("", (
        Phrase("hostd", "error", "VMkernelStatsProvider(000000a67b5238a0)", "GetKernelStatValues: Detected error while "
               "retrieving stats: VSINode(2810): Not found (status=195887107)", "neg-hostd8-er163-vsinode", 0, "none"),
        Phrase("hostd", "warning", "deviceStatsProvider(000000a67b8eb2f0)", "FillVirtualDeviceStats: Unable to locate "
               "sample for stat ID 19", "neg-hostd8-er163-vsinode", 3792, "none"),
    )),
    Noise("", (
        Phrase("hostd", "info", "Vimsvc.HTTPService.HttpConnection",
               "HTTP Connection has timed out while waiting for further requests; <io_obj "
               "t:N7Vmacore6System21LocalSocketObjectAsioE, h:-1, <UNIX 'hostdEntitlementVapi.sock'>, <UNIX "
               "'hostdEntitlementVapi.sock'>>, N7Vmacore16TimeoutExceptionE(Operation timed out: Stream: <io_obj "
               "t:N7Vmacore6System21LocalSocketObjectAsioE, h:-1, <UNIX 'hostdEntitlementVapi.sock'>, <UNIX "
               "'hostdEntitlementVapi.sock'>>, duration: 00:00:46.257054 (hh:mm:ss.us))\n"
               "[context]zKq7AVICAgAAAB28eQEIaG9zdGQAAF5oNWxpYnZtYWNvcmUuc28AAHtnJADEaCQAbhMlAGA4JQC7iEoBXl8IbGliYy5zby42"
               "AAEwXBA=[/context]", _TAIL_2025, 0, "none"),
    ), 5),
    _kernel("NRandomHwrng: 500: Out of entropy, refreshing.", _TAIL_2025),
    Noise("", (
        Phrase("vmkernel", "info", "", 'Config: 727: "TrackMigrations" = 1, Old Value: 0, (Status: 0x0)', _TAIL_2025, 0,
               "none"),
        Phrase("vmkernel", "info", "", "Uplink: 537: vmnic0: Driver claims supporting 0 RX queues, and 0 queues are "
               "accepted.", _TAIL_2025, 2, "none"),
        Phrase("vmkernel", "info", "", 'Config: 727: "TrackMigrations" = 0, Old Value: 1, (Status: 0x0)', _TAIL_2025,
               30_005, "none"),
    ), 4),
    _task("{hex8}-6a-a-615a", "{world}-vim.VirtualMachine.createSnapshot", _TASKS_2026),
    _power_on(_STATES_2018),
    _vmotion(_VMOTION),
)  # fmt: skip

_MIDDLE = (
    _lro("HB-host-{small}@{small}-{hex8}-11", "vpxa -- vpxapi.VpxaService.getChanges", _RESERVE),
    _lro("{hex8}-01-ab", "operationCleanupManager -- vim.host.OperationCleanupManager.createEntry", _RESERVE,
         ends_after=2),
    Noise("WFU-{hex8}", (
        Phrase("vpxa", "verbose", "VpxaHalCnxHostagent", "[WaitForUpdatesDone] Completed callback", _SYS),
    )),
    Noise("k41obmfo-{small}-auto-2fgpl-h5:{small}-27-02-a3-d55d", (
        Phrase("hostd", "info", "Libs", "   HLState: none", "neg-hostd-libs-hostlog-dump", 0, "vpxa"),
        Phrase("hostd", "info", "Libs", "   MigType: invalid", "neg-hostd-libs-hostlog-dump", 0, "vpxa"),
    )),
    Noise("{hex8}", (
        Phrase("hostd", "info", "DiskLib", "DISKLIB-LIB   : DiskLibFiltLibInit: Creating filtLib context.",
               "LOG_FORMATS section 2 [DVOL]", suffix="vpxa"),
    )),
    _kernel("World: 14299: VC opID hostd-{small} maps to vmkernel opID {hex8}", "neg-vmkernel-opid-map"),
    _task("{hex8}-01-b0-d55d", "{world}-vim.VirtualMachine.createSnapshot", _STATES_2018),
    _power_on(_STATES_2018),
    _vmotion(_VMOTION),
)  # fmt: skip

_WAIT_FOR_UPDATES = Noise("WFU-{hex8}", (
    Phrase("vpxa", "verbose", "VpxaHalCnxHostagent", "[WaitForUpdatesDone] Received callback", _SYS),
    Phrase("vpxa", "verbose", "VpxaHalCnxHostagent", "[WaitForUpdatesDone] Completed callback", _SYS, 1),
))  # fmt: skip
_ROOT_LOGS_IN = Noise(
    "", (Phrase("hostd", "info", "Vimsvc", "[Auth]: User root", "LOG_FORMATS section 2 [VH]", 0, "none"),)
)

_SECOND = (
    _ROOT_LOGS_IN,
    _WAIT_FOR_UPDATES,
    _kernel("World: 14299: VC opID hostd-{small} maps to vmkernel opID {hex8}", "neg-vmkernel-opid-map"),
    _task("{hex8}-{hex8b}-aa-61", "{world}-vim.VirtualMachine.createSnapshot", _TASKS_2015),
    _power_on(_STATES_2018),
    _vmotion(_VMOTION),
)

_FIRST = (
    _ROOT_LOGS_IN,
    _WAIT_FOR_UPDATES,
    _task("{hex8}-{hex8b}-d4-bd", "{world}-vim.VirtualMachine.createSnapshot", _TASKS_2010),
    _power_on(_STATES_2008),
)

NOISE: dict[Generation, tuple[Noise, ...]] = {
    Generation.A: _FIRST,
    Generation.B: _SECOND,
    Generation.C: _MIDDLE,
    Generation.D: _LATE,
}
"""Ordinary work by generation of the host."""

_VPXD_6 = "LOG_FORMATS section 2, vpxd of 6.0"
VCENTER_NOISE: dict[Generation, tuple[Noise, ...]] = {
    Generation.A: (
        Noise("{hex8}-{hex8b}", (
            Phrase("vpxd", "error", "App", "[MoDVPortGroup::GetFreePortInt] No free port found in the portgroup "
                   "[My_N1K_DV_PortGroup]", "LOG_FORMATS section 2 [VH-2012-07-30]"),
        )),
    ),
    Generation.B: (
        Noise("{hex8}", (
            Phrase("vpxd", "verbose", "Default", "[VpxVmomi] Invoke done: vmodl.query."
                   "PropertyCollector.waitForUpdatesEx session: {session}", "LOG_FORMATS section 2 [LNAV]"),
        )),
    ),
    Generation.C: (
        Noise("ProcessAlarmFiring-{hex8}", (
            Phrase("vpxd", "verbose", "PropertyProvider", 'RecordOp ASSIGN: declaredAlarmState["alarm-1.host-'
                   '{small}"], host-{small}. Applied change to temp map.', _VPXD_6),
        )),
        Noise("", (
            Phrase("vpxd", "info", "SSL SoapAdapter[1].HTTPService", "Max buffered response size is 104857600 bytes",
                   "LOG_FORMATS section 2 [LNAV]", 0, "none"),
        )),
    ),
    Generation.E: (
        Noise("SvcAcctInit-{hex8}", (
            Phrase("vpxd", "info", "ServiceAccount", "Service account accessor initialized; user: "
                   "vpxd-svc-acct-{hex8}@VSPHERE.LOCAL, passwordStatus: Ok", "LOG_FORMATS section 2 [LNAV]"),
        )),
    ),
}  # fmt: skip
"""Ordinary work of vCenter itself, by the generation of its own log."""

TASK_BEGINS = (
    Phrase("vpxd", "info", "vpxLro", "[VpxLRO] -- BEGIN {task} -- {entity} -- {call} -- {session}", INVENTED),
)
TASK_ENDS = (Phrase("vpxd", "info", "vpxLro", "[VpxLRO] -- FINISH {task}", INVENTED),)
TASK_FAILS = (
    Phrase("vpxd", "error", "vpxLro", "[VpxLRO] -- ERROR {task} -- {entity} -- {call}: {fault}", INVENTED),
    Phrase("vpxd", "info", "vpxLro", "[VpxLRO] -- FINISH {task}", INVENTED, 1),
)
"""How vpxd tells of tasks: the words of vpxa's [VpxLRO] lines, which are published; their use in vpxd is not."""
