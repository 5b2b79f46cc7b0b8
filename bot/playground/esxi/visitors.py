"""What others do on a host and to it: nightly backups over NFC, vSphere Replication, wires and paths that flap.

All of it is harmless and some of it looks bad, which is the point: our own failures have to be told apart from it.
Sources as in `phrases`. Only tables; `diary` says when.
"""

from __future__ import annotations

from dataclasses import replace

from bot.playground.esxi.line_forms import Generation
from bot.playground.esxi.ordinary import NOISE, Noise
from bot.playground.esxi.phrases import INVENTED, Phrase

_LOGLEVEL = "neg-vddk-nfc-loglevel"
_EOF_SOURCE = "virtuallyhyper.com, vpxa line of 2012-09-11 (a receiver whose sender went away)"
_UPLINKS = "vobd.log of 2020-04-30, an uplink that flaps (text-index id 43544382278)"
_SENSE_OLD = "LOG_FORMATS section 2 [VH-2012-03-26]"
_SENSE_NEW = "abtis.de, SCSI sense codes, 2016-06-28 (ESXi 6.0)"


def _backup(op_id: str) -> tuple[Noise, ...]:
    """A proxy that reads a disk of a running VM (NBD), and the ways in which it takes its leave."""
    opened = (
        Phrase("hostd", "info", "Libs", "Setting NFC log level to 1", _LOGLEVEL, 0, "vpxa"),
        Phrase("hostd", "info", "Libs", "NfcServer: session for backup proxy {proxy} opened, "
               "/vmfs/volumes/{volume}/{vm}/{vm}.vmdk, read only", INVENTED, 12, "vpxa"),
    )  # fmt: skip
    closed = (
        Phrase("hostd", "info", "Libs", "NfcServer: session for backup proxy {proxy} closed, {small} MB sent", INVENTED,
               60_000, "vpxa"),
    )  # fmt: skip
    hung_up = (
        Phrase("hostd", "warning", "Libs", "{nfc}NfcFile_ContinueReceive: reached EOF", _EOF_SOURCE, 60_000, "vpxa"),
        Phrase("hostd", "warning", "Libs", "{nfc}NfcServer: backup proxy {proxy} went without a goodbye", INVENTED,
               60_001, "vpxa"),
    )  # fmt: skip
    return (
        Noise(op_id, (*opened, *closed)),
        Noise(op_id, (*opened, *hung_up), share=2, complains=True),
    )


BACKUP: dict[Generation, tuple[Noise, ...]] = {
    Generation.A: _backup("{hex8}-{hex8b}-3c-9f"),
    Generation.B: _backup("{hex8}-{hex8b}-3c-9f"),
    Generation.C: _backup("{hex8}-01-7e-91d2"),
    Generation.D: _backup("{hex8}-7e-91d2"),
}

_REPLICATION = (
    Noise("hs-{hex8}", (
        Phrase("hostd", "info", "HbrProvider", "Lightweight delta of group GID-{uuid} started", INVENTED, 0, "vpxa"),
        Phrase("vmkernel", "info", "", "Hbr: 2998: Delta of group GID-{uuid} to {proxy}:31031 started (RPO 240)",
               INVENTED, 3, "none"),
        Phrase("vmkernel", "info", "", "Hbr: 3012: Delta of group GID-{uuid} sent: {small} MB", INVENTED, 25_000,
               "none"),
        Phrase("hostd", "info", "HbrProvider", "Lightweight delta of group GID-{uuid} complete", INVENTED, 25_002,
               "vpxa"),
    )),
    Noise("", (
        Phrase("vmkernel", "warning", "", "Hbr: 4521: Connection to {proxy}:31031 for group GID-{uuid} was reset, "
               "will be opened again", INVENTED, 0, "none"),
        Phrase("vmkernel", "info", "", "Hbr: 4533: Connection to {proxy}:31031 for group GID-{uuid} is open again",
               INVENTED, 2_000, "none"),
    ), share=2),
)  # fmt: skip

REPLICATION: dict[Generation, tuple[Noise, ...]] = dict.fromkeys(
    (Generation.B, Generation.C, Generation.D), _REPLICATION
) | {Generation.A: ()}
"""Host based replication came with 5.0 and its log lines were never published: the words are ours."""

LINK_DOWN = (
    Phrase("vobd", "info", "netCorrelator", "[vob.net.pg.uplink.transition.down] Uplink: {nic} is down. Affected "
           "portgroup: Management Network. 1 uplinks up. Failed criteria: 128", _UPLINKS, 0, "none"),
    Phrase("vobd", "info", "netCorrelator", "[vob.net.vmnic.linkstate.down] vmnic {nic} linkstate down", _UPLINKS, 0,
           "none"),
    Phrase("vobd", "info", "netCorrelator", '[esx.problem.net.redundancy.lost] Lost uplink redundancy on virtual '
           'switch "vSwitch0". Physical NIC {nic} is down. Affected port groups: "Management Network"', _UPLINKS, 1_538,
           "none"),
)  # fmt: skip
LINK_UP = (
    Phrase("vobd", "info", "netCorrelator", "[vob.net.vmnic.linkstate.up] vmnic {nic} linkstate up", _UPLINKS, 0,
           "none"),
    Phrase("vobd", "info", "netCorrelator", "[vob.net.pg.uplink.transition.up] Uplink:{nic} is up. Affected portgroup: "
           "Management Network. 2 uplinks up. Failed criteria: 0", _UPLINKS, 102, "none"),
)  # fmt: skip


def _sense(body: str, source: str) -> Noise:
    return Noise("", (Phrase("vmkernel", "info", "", body, source, suffix="none"),))


_SENSE_1 = _sense(
    'ScsiDeviceIO: 1672: Command 0x28 to device "naa.{hex8}{hex8b}" failed H:0x0 D:0x2 P:0x0 '
    "Valid sense data: 0x6 0x3f 0xe.",
    _SENSE_OLD,
)
_SENSE_2 = _sense(
    'ScsiDeviceIO: 2651: Cmd(0x43a617083a00) 0x89, CmdSN 0x1a236 from world {world} to dev "naa.{hex8}{hex8b}" failed '
    "H:0x0 D:0x2 P:0x0 Valid sense data: 0xe 0x1d 0x0.",
    _SENSE_NEW,
)
_FLAP = Noise("", (*LINK_DOWN, *(replace(phrase, after_ms=phrase.after_ms + 6_990) for phrase in LINK_UP)), share=2)

FLAPS: dict[Generation, tuple[Noise, ...]] = {
    Generation.A: (_SENSE_1,),
    Generation.B: (_SENSE_1, _FLAP),
    Generation.C: (_SENSE_2, _FLAP),
    Generation.D: (_SENSE_2, _FLAP),
}
"""A link that goes and comes back within seconds, a SCSI command that is answered at the second try."""

KINDS = {"ordinary": NOISE, "backup": BACKUP, "replication": REPLICATION, "flaps": FLAPS}
"""What `[play] noise` of a world file may name, and how much of it there is is in `SHARES`."""
SHARES = {"ordinary": 20, "backup": 4, "replication": 3, "flaps": 1}
