"""What hosts write when a relocation goes wrong, by the way it goes wrong: tables of phrases with their sources.

`INVENTED` marks lines that nobody published; they count toward no score. The texts of a session that dies of loss, and
of everything that goes well, are in `phrases`. Only tables.
"""

from __future__ import annotations

from bot.playground.esxi.phrases import INVENTED, Phrase

_KB393932 = "KB 393932"
_VDDK_2020 = "velero-118-902-timeout"
_VDDK_2023 = "a vixDiskLib log of 2023-03-20 (GitHub text index 20546617892)"
_AUTHD = "github.com/vexxhost/migratekit/issues/14"
_SEED = "seed-vpxa-packet-loss-wan-2012"
_FINISH = "neg-vpxa-reservename-journal"
_MIGRATE = "a vmkernel line of 2018-10-21 (VMware defect 59665)"
_VMOTION_2014 = (
    "a vmkernel log of 2014-11-08 (a vMotion between hosts that lost each other); that UDT says the same: ours"
)
_APD = "KB 310620 and published vobd lines of APD (vmwareblogs.co.in, NFS)"

_END = Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _FINISH, 40)
_TRANSFER_FAILED = Phrase(
    "vpxa", "error", "App", "[VpxNfcClient] File transfer  failed:", _SEED, 36, later="vpxNfcClient"
)
_EOF = Phrase(
    "vpxa", "warning", "Libs", "{nfc}NfcFile_ContinueReceive: reached EOF",
    "virtuallyhyper.com, vpxa line of 2012-09-11 (a receiver whose sender went away)", 20,
)  # fmt: skip
_REMOVED = Phrase(
    "vpxa", "info", "App", "[VpxNfcServer] Removed what was received of {volume}/{directory}", INVENTED, 60,
    later="vpxNfcServer",
)  # fmt: skip


def _libs(body: str, source: str = INVENTED, after_ms: int = 0, *, log: str = "vpxa", level: str = "warning") -> Phrase:
    return Phrase(log, level, "Libs", body, source, after_ms, "hostd" if log == "hostd" else "vpxa")


def _kernel(body: str, source: str = INVENTED, after_ms: int = 0, *, level: str = "warning") -> Phrase:
    return Phrase("vmkernel", level, "", body, source, after_ms, "none")


def _not_connected(first: Phrase) -> tuple[Phrase, ...]:
    """Wrap the reason why 902 was not reached into what the library adds on its way out."""
    return (
        first,
        _libs("CnxAuthdConnect: Returning false because CnxAuthdConnectTCP failed", _VDDK_2020, level="info"),
        _libs("{nfc}NfcNewAuthdConnectionEx: Failed to connect to peer. Error: Failed to connect to server {peer}:902",
              _VDDK_2020),
        _libs("{nfc}NfcEstablishAuthCnxToServer: Failed to create new AuthD connection: "
              "Failed to connect to server {peer}:902", _VDDK_2023),
        _END,
    )  # fmt: skip


# The session does not come about.

NAME_NOT_FOUND = (
    _libs("{nfc}NfcNewAuthdConnectionEx: Failed to connect to peer. Error: Host address lookup for server {peer_name} "
          "failed: Name or service not known", f"{_KB393932}; resolver text: {_VDDK_2023}"),
    _libs("{nfc}Nfc_BindAndEstablishAuthdCnx3: Failed to create new AuthD connection: "
          "The operation completed successfully (NFC_SUCCESS)", _VDDK_2020),
    _END,
)  # fmt: skip
NO_ROUTE = _not_connected(
    _libs("CnxOpenTCPSocket: Cannot connect to server {peer}:902: No route to host", _VDDK_2023, level="info")
)
REFUSED = _not_connected(
    _libs("CnxOpenTCPSocket: Cannot connect to server {peer}:902: Connection refused",
          f"form: {_VDDK_2023}; errno text of a reset", level="info")
)  # fmt: skip
NFCD_STOPPED = (
    Phrase("hostd", "warning", "Hostsvc.ServiceSystem", "Service nfcd is not running", f"{INVENTED}; KB 420991", 0,
           "none"),
)  # fmt: skip
AUTHD_SILENT = (
    _libs("{nfc}NfcNewAuthdConnectionEx: Failed to connect: Error reading from vmware-authd socket. "
          "Reason: Resource temporarily unavailable", _AUTHD),
    _libs("{nfc}NfcNewAuthdConnectionEx: Failed to connect to peer. Error: Error reading from vmware-authd socket. "
          "Reason: Resource temporarily unavailable", _AUTHD),
    _libs("{nfc}NfcEstablishAuthCnxToServer: Failed to create new AuthD connection: Error reading from vmware-authd "
          "socket. Reason: Resource temporarily unavailable", _AUTHD),
    _libs("{nfc}Nfc_BindAndEstablishAuthdCnx3: Failed to create a connection with server", _AUTHD),
    _END,
)  # fmt: skip
TICKET_REFUSED = (
    _libs("{nfc}NfcFssrvrProcessErrorMsg: received NFC error 11 from server: "
          "NfcAioProcessOpenFileMsg: permission check failed",
          "vectura-error11-permission, in the form of v2v-doc-nfc-error5-2mb"),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
TICKET_EXPIRED_THERE = (
    _libs("{nfc}NfcAioProcessOpenFileMsg: permission check failed", "vectura-error11-permission", log="hostd"),
    Phrase("hostd", "info", "Nfcsvc", "Ticket for {directory} has expired", INVENTED, 1, "hostd"),
)
OUT_OF_MEMORY = (
    _libs("{nfc}NfcFssrvrProcessErrorMsg: received NFC error 5 from server: "
          "Failed to allocate the requested 2097176 bytes", "v2v-doc-nfc-error5-2mb"),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
OUT_OF_MEMORY_THERE = (
    Phrase("hostd", "warning", "Nfcsvc", "Memory of NFC sessions is used up: 50331648 bytes",
           f"{INVENTED}; the limit is published (VDDK guide, NFC Session Limits and Timeouts)", 0, "hostd"),
)  # fmt: skip
DISK_LOCKED = (
    _libs("DISKLIB-LIB   : Failed to open '{source_path}' with flags 0xe Failed to lock the file (16392).",
          f"vectura-16392-other-reader, in the form of {_VDDK_2023}", log="hostd"),
    _libs("{nfc}NfcFssrvr_DiskOpen: received diskLib error 16392 from server: NfcFssrvrOpen: Failed to open "
          "'{source_path}': Failed to lock the file", "vectura-16392-other-reader, in the form of "
          "manageiq-disklib-1048585-open", 2),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
UDT_UNREACHABLE = (
    _kernel("Migrate: 269: {migration} S: Failed: The ESX hosts failed to connect over the VMotion network (0xbad010d)",
            _VMOTION_2014),
    _kernel("Migrate: 5454: {migration} S: Migration considered a failure by the VMX. It is most likely a timeout",
            _MIGRATE, 2),
    _END,
)  # fmt: skip
UDT_UNREACHABLE_THERE = (
    _kernel("Migrate: 5454: {migration} D: Migration considered a failure by the VMX. It is most likely a timeout",
            f"{_MIGRATE}; the destination's side {INVENTED}", 8),
)  # fmt: skip

# The session breaks while it lasts.

RESET = (
    _libs("{nfc}NfcNetTcpWrite: bWritten: -1, errno 104: Connection reset by peer",
          f"{INVENTED}; names around NfcNetTcp* with errno text from 6.0 on (corpus/README.md)"),
    _libs("{nfc}NfcNet_Send: requested 262040, sent only -1 bytes", _SEED),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
RESET_THERE = (
    _libs("{nfc}NfcNetTcpRead: bRead: -1, errno 104: Connection reset by peer", INVENTED),
    _REMOVED,
)
SILENCED = (
    _libs("{nfc}NfcNetTcpWrite: bWritten: -1, errno 110: Connection timed out",
          f"{INVENTED}; names around NfcNetTcp* with errno text from 6.0 on (corpus/README.md)"),
    _libs("{nfc}NfcNet_Send: requested 262040, sent only -1 bytes", _SEED),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
SEGMENTS_EATEN = (
    _libs("{nfc}NfcNet_Send: requested 262040, sent only 65160 bytes", f"{INVENTED}; KB 417889 has no line either"),
    _libs("{nfc}NfcFile_SendMessage: data send failed: Operation timed out", INVENTED),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
SEGMENTS_EATEN_THERE = (
    _libs("{nfc}NfcNet_Recv: requested 262040, received only 0 bytes", INVENTED, 20, log="hostd"),
    _libs("{nfc}NfcFile_ContinueReceive: timed out waiting for data after the header of {directory}", INVENTED, 20),
)
FORGOTTEN = (
    _libs("{nfc}NfcNetTcpWrite: bWritten: -1, errno 32: Broken pipe",
          f"{INVENTED}; an idle session that a firewall forgot, KB 337829"),
    _libs("{nfc}NfcNet_Send: requested 262040, sent only -1 bytes", _SEED),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
CONTROL_FORGOTTEN = (
    _libs("{nfc}NfcNetTcpWrite: bWritten: -1, errno 32: Broken pipe",
          f"{INVENTED}; an idle session that a firewall forgot, KB 337829"),
    _libs("{nfc}NfcNet_Send: requested 264, sent only -1 bytes", _SEED),
    _libs("{nfc}NfcSendMessage: send failed:", _SEED),
    _END,
)  # fmt: skip
UDT_DIED = (
    _kernel("VMotionUtil: 867: {migration} S: failed to read stream keepalive: Connection closed by remote host, "
            "possibly due to timeout", _VMOTION_2014),
    _kernel("Migrate: 5454: {migration} S: Migration considered a failure by the VMX. It is most likely a timeout",
            _MIGRATE, 2),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
RECEIVER_RESTARTED = (
    _libs("{nfc}NfcNetTcpWrite: bWritten: -1", _SEED),
    _libs("{nfc}NfcNet_Send: requested 262040, sent only -1 bytes", _SEED),
    _libs("{nfc}NfcFile_SendMessage: data send failed:", _SEED),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
SENDER_GONE = (_EOF, _REMOVED)
SENDER_GONE_UNCLEANED = (_EOF,)
READER_RESTARTED = (_TRANSFER_FAILED, _END)
NO_SPACE = (
    _libs("{nfc}NfcFssrvrProcessErrorMsg: received NFC error from server: No space left on device", INVENTED, 2),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
NO_SPACE_THERE = (
    _libs("[msg.hbacommon.outofspace] There is no more space for virtual disk '{directory}/{directory}.vmdk'.",
          "vic-6163-hbacommon-outofspace", log="hostd", level="info"),
    _REMOVED,
)  # fmt: skip
WRITE_FAILED = (
    _libs("{nfc}NfcFssrvrProcessErrorMsg: received NFC error from server: Input/output error", INVENTED, 2),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
WRITE_FAILED_THERE = (_libs("{nfc}NfcFileDskWrite: {volume}/{directory}: Input/output error", INVENTED, log="hostd"),)
READ_FAILED = (
    _libs("DISKLIB-VMFS  : {source_path}: read failed: Input/output error", INVENTED, log="hostd"),
    _TRANSFER_FAILED, _END,
)  # fmt: skip
VCENTER_LOST_US = (
    Phrase("vpxa", "warning", "vpxaInvtVm", "[VpxaInvtHost] No heartbeat was acknowledged by vCenter, {task} goes on "
           "without it", INVENTED),
)  # fmt: skip
GIVEN_UP = (
    Phrase("vpxa", "warning", "vpxLro", "[VpxLRO] -- lro-{lro} is given up: Timed out", INVENTED),
    _END,
)
REMOVED = (_REMOVED,)

# Not of a relocation: what the host notes when something happens to itself.

APD_BEGINS = (
    Phrase("vmkernel", "info", "", "StorageApdHandler: 846: APD Start for ident [{device}]!", _APD, 0, "none"),
    Phrase("vobd", "info", "APDCorrelator", "[vob.storage.apd.start] Device or filesystem with identifier [{device}] "
           "has entered the All Paths Down state.", _APD, 1, "none"),
    Phrase("vobd", "info", "APDCorrelator", "[esx.problem.storage.apd.start] Device or filesystem with identifier "
           "[{device}] has entered the All Paths Down state.", _APD, 2, "none"),
)  # fmt: skip
APD_ENDS = (
    Phrase("vmkernel", "info", "", "StorageApdHandler: 902: APD Exit for ident [{device}]!",
           f"{INVENTED}, after the line of its start", 0, "none"),
    Phrase("vobd", "info", "APDCorrelator", "[esx.problem.storage.apd.recovered] Device or filesystem with identifier "
           "[{device}] has exited the All Paths Down state.", _APD, 1, "none"),
)  # fmt: skip
AGENT_STARTED = {
    agent: (Phrase(agent, "info", "Default", "*** In-memory logs end ***", "LOG_FORMATS section 3 [LNAV]", 1, "none"),)
    for agent in ("vpxa", "hostd")
}
