"""What a healthy host writes into its logs all day, each text with its source (see `phrases` for what sources are).

Nothing here is a failure: a diagnosis of these lines finds no incident. Only tables; `diary` says when.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.playground.esxi.phrases import Phrase

_BEGIN8 = "neg-vpxa8-begin-finish"
_RESERVE = "neg-vpxa-reservename-journal"


@dataclass(frozen=True)
class Noise:
    """Ordinary lines that belong together and share one opID of an internal family; `op_id` may be empty."""

    op_id: str
    phrases: tuple[Phrase, ...]


_LATE = (
    Noise("PollQuickStatsLoop-{hex8}-fb", (
        Phrase("vpxa", "info", "vpxLro",
               "[VpxLRO] -- BEGIN lro-{lro} -- vpxa -- vpxapi.VpxaService.fetchQuickStats -- {session}", _BEGIN8),
        Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _BEGIN8, 1),
    )),
    Noise("HB-host-{small}@{small}-{hex8}-2d", (
        Phrase("vpxa", "info", "vpxLro",
               "[VpxLRO] -- BEGIN lro-{lro} -- vpxa -- vpxapi.VpxaService.getChanges -- {session}", _BEGIN8),
        Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _BEGIN8, 1),
    )),
    Noise("{hex8}-3a", (
        Phrase("vpxa", "info", "vpxLro",
               "[VpxLRO] -- BEGIN lro-{lro} -- networkSystem -- vim.host.NetworkSystem.queryNetworkHint -- {session}",
               _BEGIN8),
        Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _BEGIN8, 3),
    )),
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
    )),
)  # fmt: skip

_MIDDLE = (
    Noise("HB-host-{small}@{small}-{hex8}-11", (
        Phrase("vpxa", "info", "vpxLro",
               "[VpxLRO] -- BEGIN lro-{lro} -- vpxa -- vpxapi.VpxaService.getChanges -- {session}", _BEGIN8),
        Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _RESERVE, 1),
    )),
    Noise("{hex8}-01-ab", (
        Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- BEGIN lro-{lro} -- operationCleanupManager -- "
               "vim.host.OperationCleanupManager.createEntry -- {session}", _RESERVE),
        Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _RESERVE, 2),
    )),
    Noise("WFU-{hex8}", (
        Phrase("vpxa", "verbose", "VpxaHalCnxHostagent", "[WaitForUpdatesDone] Completed callback",
               "LOG_FORMATS section 2 [SYS]"),
    )),
    Noise("k41obmfo-{small}-auto-2fgpl-h5:{small}-27-02-a3-d55d", (
        Phrase("hostd", "info", "Libs", "   HLState: none", "neg-hostd-libs-hostlog-dump", 0, "vpxa"),
        Phrase("hostd", "info", "Libs", "   MigType: invalid", "neg-hostd-libs-hostlog-dump", 0, "vpxa"),
    )),
)  # fmt: skip

_EARLY = (
    Noise("", (Phrase("hostd", "info", "Vimsvc", "[Auth]: User root", "LOG_FORMATS section 2 [VH]", 0, "none"),)),
    Noise("WFU-{hex8}", (
        Phrase("vpxa", "verbose", "VpxaHalCnxHostagent", "[WaitForUpdatesDone] Received callback",
               "LOG_FORMATS section 2 [SYS]"),
        Phrase("vpxa", "verbose", "VpxaHalCnxHostagent", "[WaitForUpdatesDone] Completed callback",
               "LOG_FORMATS section 2 [SYS]", 1),
    )),
)  # fmt: skip

NOISE = {"A": _EARLY, "B": _EARLY, "C": _MIDDLE, "D": _LATE}
"""Ordinary work by generation of the host."""
