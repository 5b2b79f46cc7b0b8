"""Every text that a played host writes into its logs, each with the source it was published in.

Sources are case ids of the corpus (`corpus/nfc/*.yaml`), sections of `corpus/LOG_FORMATS.md`, or KB numbers. A text
that nobody published is marked `invented` and counts toward no score. The header around a text follows the host's
generation (`line_forms`); the blank after `[NFC ERROR]` does too (LOG_FORMATS, section 4). The seed was published for
4.x and 5.0 alone: later hosts say the same here because nobody has published how they word this failure. Only tables.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

INVENTED = "invented"
_SEED = "seed-vpxa-packet-loss-wan-2012"
_RESERVE = "neg-vpxa-reservename-journal"
_KB393932 = "KB 393932"
_EOF_SOURCE = "virtuallyhyper.com, vpxa line of 2012-09-11 (a receiver whose sender went away)"


@dataclass(frozen=True)
class Phrase:
    """One line to write: in which log, how long after the first of its table, and the text with its blanks."""

    log: str
    level: str
    component: str
    body: str
    source: str
    after_ms: int = 0
    suffix: str = "vpxa"
    """Whose derived opID it carries: "vpxa" has one suffix, "hostd" two, "none" no opID at all."""
    later: str = ""
    """The component from 6.0 on, where it has another name than before (LOG_FORMATS, section 4)."""


_CLOSING = Phrase(
    "vpxa", "verbose", "App", "[VpxNfcClient] Closing NFC connection to server", _SEED, later="vpxNfcClient"
)

SOURCE_SESSION_DIED = (
    Phrase("vpxa", "warning", "Libs", "{nfc}NfcNetTcpWrite: bWritten: -1", _SEED),
    Phrase("vpxa", "warning", "Libs", "{nfc}NfcNet_Send: requested 262040, sent only -1 bytes", _SEED),
    Phrase("vpxa", "warning", "Libs", "{nfc}NfcFile_SendMessage: data send failed:", _SEED),
    Phrase("vpxa", "warning", "Libs", "{nfc}NfcBuf_Send: failed to send next file portion", _SEED),
    Phrase("vpxa", "warning", "Libs", "{nfc}Nfc_PutFile: failed to send the buffer", _SEED),
    Phrase("vpxa", "error", "App", "[VpxNfcClient] File transfer  failed:", _SEED, 36, later="vpxNfcClient"),
    replace(_CLOSING, after_ms=36),
    Phrase("vpxa", "warning", "Libs", "{nfc}NfcNetTcpWrite: bWritten: -1", _SEED, 36),
    Phrase("vpxa", "warning", "Libs", "{nfc}NfcNet_Send: requested 264, sent only -1 bytes", _SEED, 36),
    Phrase("vpxa", "warning", "Libs", "{nfc}NfcSendMessage: send failed:", _SEED, 36),
    Phrase("vpxa", "verbose", "PropertyProvider", "RecordOp ASSIGN: info.state, {task}", _SEED, 37),
    Phrase("vpxa", "verbose", "PropertyProvider", "RecordOp ASSIGN: info.cancelable, {task}", _SEED, 37),
    Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _RESERVE, 38),
    Phrase("hostd", "info", "Libs", "NfcServerLoop: client session for {directory} ended", INVENTED, 39, "hostd"),
)

DESTINATION_SESSION_DIED = (
    Phrase("vpxa", "warning", "Libs", "{nfc}NfcFile_ContinueReceive: reached EOF", _EOF_SOURCE, 20),
    Phrase(
        "vpxa",
        "error",
        "App",
        "[VpxNfcServer] Receiving {volume}/{directory} ended early",
        INVENTED,
        21,
        later="vpxNfcServer",
    ),
    Phrase(
        "hostd", "warning", "Libs", "{nfc}NfcNet_Recv: requested 262040, received only 0 bytes", INVENTED, 20, "hostd"
    ),
)

SOURCE_CONNECT_FAILED = (
    Phrase("hostd", "warning", "Libs", "{nfc}NfcNewAuthdConnectionEx: Failed to connect to server {peer}:902",
           _KB393932, 0, "hostd"),
    Phrase("hostd", "warning", "Libs",
           "{nfc}NfcEstablishAuthCnxToServer: Failed to create authentication connection", _KB393932, 0, "hostd"),
    Phrase("vpxa", "info", "Libs",
           "CnxOpenTCPSocket: Timed out connecting to server {peer}:902: Operation now in progress",
           "velero-118-902-timeout"),
    Phrase("vpxa", "info", "Libs", "CnxAuthdConnect: Returning false because CnxAuthdConnectTCP failed",
           "velero-118-902-timeout"),
    Phrase("vpxa", "warning", "Libs",
           "{nfc}NfcNewAuthdConnectionEx: Failed to connect to peer. Error: Failed to connect to server {peer}:902",
           "velero-118-902-timeout"),
    Phrase("vpxa", "warning", "Libs",
           "{nfc}Nfc_BindAndEstablishAuthdCnx3: Failed to create new AuthD connection: "
           "The operation completed successfully (NFC_SUCCESS)", "velero-118-902-timeout"),
    Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _RESERVE, 2),
)  # fmt: skip

SOURCE_BEGIN = (
    Phrase("vpxa", "info", "vpxLro",
           "[VpxLRO] -- BEGIN lro-{lro} -- vpxa -- vpxapi.VpxaService.nfcCopy -- {session}", INVENTED),
    Phrase("hostd", "info", "Libs", "Setting NFC log level to 1", "neg-vddk-nfc-loglevel", 4, "hostd"),
    Phrase("vmkernel", "info", "", "World: 14299: VC opID {op_id} maps to vmkernel opID {kernel}",
           "neg-vmkernel-opid-map", 5, "none"),
)  # fmt: skip

DESTINATION_BEGIN = (
    Phrase("vpxa", "info", "vpxLro",
           "[VpxLRO] -- BEGIN lro-{lro} -- vpxa -- vpxapi.VpxaService.reserveName -- {session}", _RESERVE),
    Phrase("vpxa", "verbose", "vpxaNameReserve",
           "[ReserveFileWithGivenRootDir] Directory {volume} is available for use", _RESERVE),
    Phrase("vpxa", "verbose", "vpxaNameReserve",
           "[ReserveFileWithGivenRootDir] Reserved directory only, name {volume}/{directory}, "
           "stable name {volume}/{directory}", _RESERVE, 2),
    Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _RESERVE, 2),
    Phrase("hostd", "info", "Libs", "Setting NFC log level to 1", "neg-vddk-nfc-loglevel", 4, "hostd"),
    Phrase("vmkernel", "info", "", "World: 14299: VC opID {op_id} maps to vmkernel opID {kernel}",
           "neg-vmkernel-opid-map", 5, "none"),
)  # fmt: skip

SOURCE_DONE = (
    _CLOSING,
    Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _RESERVE, 1),
)

DESTINATION_DONE = (
    Phrase("vpxa", "info", "vpxLro",
           "[VpxLRO] -- BEGIN lro-{lro} -- vpxa -- vpxapi.VpxaService.registerVm -- {session}", INVENTED, 6),
    Phrase("vpxa", "verbose", "journal", "Deleting Journal /var/log/vmware/journal/{serial}.56.", _RESERVE, 8),
    Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- FINISH lro-{lro}", _RESERVE, 9),
)  # fmt: skip

SOURCE_CANCELLED = (
    Phrase("vpxa", "info", "vpxLro", "[VpxLRO] -- Operation of lro-{lro} was canceled", INVENTED),
    replace(_CLOSING, after_ms=1),
    Phrase("vpxa", "verbose", "PropertyProvider", "RecordOp ASSIGN: info.state, {task}", _SEED, 2),
)
