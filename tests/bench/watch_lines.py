"""What hosts say in the benchmark of the watch, and what of it must arrive: seeded, so that both ends know it.

Each line of a host is told by its place alone. Now and then a copy fails, in a burst of lines that rules know, among
lines of other programs; the rest is everyday talk. The stamp of a line is when it was sent.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bot.hostlog.candidates import Sieve
from bot.hostlog.cursor import Line

SEED: Final = 20240326
WATCHED: Final = ("vpxa", "hostd")
BURSTS: Final = 1 / 1500
"""The chance that a copy fails at a line."""

_FAILURE: Final = (
    "[NFC ERROR]NfcNetTcpWrite: bWritten: -1",
    "[NFC ERROR]NfcNet_Send: requested 262040, sent only -1 bytes",
    "[NFC ERROR]NfcFile_SendMessage: data send failed:",
    "[NFC ERROR]NfcBuf_Send: failed to send next file portion",
    "[NFC ERROR]Nfc_PutFile: failed to send the buffer",
    "[VpxNfcClient] File transfer  failed:",
)
_TALK: Final = (
    "[VpxLRO] -- BEGIN lro-{n} -- vpxa -- vpxapi.VpxaService.getChanges -- 52bb5d24-2497-10d0-569c-3ec666d27030",
    "[WaitForUpdatesDone] Received callback, version {n}, filter session[52bb5d24-2497]52bb5d24, pending 3 updates",
    "Increment master gen. no to ({n}): VpxaInvtVmGuestChange, entity vm-{n}, delta size 230 bytes, queue depth 4",
    "Task Created : haTask--vim.ManagedEntity.getName-{n} under the session 5223f0aa of vpxuser from 10.20.1.{n}",
    "GuestInfo changed 'guest.net' of vm-{n}: ip 10.20.1.1 mac 00:50:56:aa:bb:cc portgroup dvportgroup-{n}",
)
_PROGRAMS: Final = ("Vpxa", "Hostd", "Vpxa", "Hostd", "Rhttpproxy", "vmkernel")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One line before it is sent. `key` is found nowhere else."""

    program: str
    text: str
    key: str

    def wire(self, host: str, now: datetime) -> bytes:
        """As ESXi 8 sends it by default."""
        stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        return f"<166>{stamp}Z {host} {self.program}[2098914]: [Originator@6876 {self.text}\n".encode()


def lines_of(host: int) -> Iterator[Spoken]:
    """What one host says, for ever."""
    dice = random.Random(SEED * 100_003 + host)
    number, failing = 0, 0
    while True:
        number += 1
        key = f"k{host}-{number}."
        if failing and dice.random() < 0.6:
            said = _FAILURE[-failing]
            failing -= 1
            yield Spoken("Vpxa", f"sub=Libs opID=ab{host:04x}-{number:08x}-5c] {said} {key}", key)
            continue
        if not failing and dice.random() < BURSTS:
            failing = len(_FAILURE)
        program = dice.choice(_PROGRAMS)
        talk = dice.choice(_TALK).format(n=number)
        yield Spoken(program, f"sub=vpxaInvtVm opID=WFU-{number:08x}] {talk} {key}", key)


def wanted_of(host: int, count: int) -> Mapping[str, Sequence[str]]:
    """The keys of what must arrive of a host that said so many lines, by log and in order."""
    said = [spoken for spoken, _ in zip(lines_of(host), range(count), strict=False)]
    wanted = {}
    for log in WATCHED:
        sieve = Sieve(lambda text: "NFC ERROR]" in text or "[VpxNfcClient]" in text)
        own = [spoken for spoken in said if spoken.program.lower() == log]
        kept = sieve.take(Line(at, spoken.text) for at, spoken in enumerate(own))
        wanted[log] = [own[line.number].key for line in kept]
    return wanted


def name_of(host: int) -> str:
    return f"esx-{host:04}.example.net"


def address_of(host: int) -> str:
    """An address of this machine's own, so that each host has one."""
    return f"127.9.{host // 250}.{host % 250 + 1}"
