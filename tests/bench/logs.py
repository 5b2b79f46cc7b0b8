"""The logs that `diagnose` is measured on: made once for a run, with failures in them, the same bytes every time.

Every line is invented, in the layouts of ESXi 6.x to 8.x; what matters is how many there are, and how few matter.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BORING = (
    "[VpxLRO] -- BEGIN lro-{n} -- vpxa -- vpxapi.VpxaService.getChanges -- 52{h}-{h}",
    "[VpxLRO] -- FINISH lro-{n}",
    "[WaitForUpdatesDone] Received callback, version {n}",
    "Increment master gen. no to ({n}): VpxaInvtVmGuestChange",
    "HTTP Connection read failed while waiting for further requests; <<io_obj p:0x{h}, h:{n}, <TCP '10.2.3.4 : 83'>>",
    "Set internal stats for VM: {n} (vpxa VM id), {n} (vpxd VM id). Is FT primary? false",
    "[NfcManager] Issued NFC ticket 52{h} for vm-{n} datastore-{n}, port 902, valid 30 s, service vpxa-nfc",
    'DISKLIB-VMFS  : "/vmfs/volumes/{h}/app-{n}-flat.vmdk" : open successful (14) size = {n}, hd = {n}. Type 3',
)
_FAILURE = (
    "[NFC ERROR] NfcNetTcpWrite: bWritten: -1",
    "[NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes",
    "[NFC ERROR] NfcFile_SendMessage: data send failed:",
    "[NFC ERROR] NfcBuf_Send: failed to send next file portion",
    "[NFC ERROR] Nfc_PutFile: failed to send the buffer",
)
_HEADS = (
    "{t} info vpxa[{x:X}] [Originator@6876 sub=Libs opID={o}] ",
    "{t} verbose vpxa[{x}] [Originator@6876 sub=vpxLro opID={o}] ",
    "{t} In(166) Vpxa[{x}]: [Originator@6876 sub=Default opID={o}] ",
)
_BLOCK = 20_000  # lines that are written at a time, each block with one failure


def plain(file: Path, size: int, *, seed: int = 7) -> Path:
    """Write about `size` bytes."""
    with file.open("wb") as out:
        written = 0
        for block in _blocks(seed):
            out.write(block)
            written += len(block)
            if written >= size:
                return file
    raise AssertionError


def packed(file: Path, source: Path) -> Path:
    """Write the same, compressed."""
    file.write_bytes(gzip.compress(source.read_bytes(), 6, mtime=0))
    return file


def _blocks(seed: int) -> Iterator[bytes]:
    dice = random.Random(seed)
    boring = [text.format(n=dice.randrange(10**6), h=f"{dice.getrandbits(32):08x}") for text in _BORING * 250]
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    while True:
        lines = []
        head = dice.choice(_HEADS)
        failing = f"{dice.getrandbits(32):08X}-{dice.getrandbits(32):08X}-5c"
        for number in range(_BLOCK):
            moment += timedelta(milliseconds=dice.randrange(1, 90))
            place = number - _BLOCK // 2
            failed = 0 <= place < len(_FAILURE)
            op_id = failing if failed else f"HB-host-{number % 900}@{number}-{seed:08x}"
            stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
            body = _FAILURE[place] if failed else boring[dice.randrange(len(boring))]
            lines.append(head.format(t=stamp, x=2097152 + number % 40, o=op_id) + body)
        yield ("\n".join(lines) + "\n").encode()
