"""One host writing its logs: ordinary work all day, visitors, and what it sees of a relocation.

Takes texts from `phrases`, `ordinary` and `visitors` and forms from `line_forms`, adds nothing of its own; when
something happens is told by others (`vcenter.relocation`, the player's background life).
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.playground.esxi.host_log import HostLogs
from bot.playground.esxi.line_forms import Entry, Generation, written
from bot.playground.esxi.ordinary import Noise
from bot.playground.esxi.phrases import Phrase
from bot.playground.esxi.visitors import KINDS, SHARES

_AT_ONCE = timedelta(seconds=1)
_LONGEST_UPTIME = 90 * 86_400


def derived_op_id(op_id: str, host: str, agent: str = "vpxa", *, generation: Generation = Generation.D) -> str:
    """Append what each hop adds to an opID, the same at every time; which form depends on the generation.

    vpxa shows `C65743A5-0000024D-5c` up to 5.x, `e6012b2-01-b0` in 6.x and 7.x, `7b9d4753-3a` in 8.x; hostd, which is
    called by vpxa, shows one more: two digits up to 5.x, four later (LOG_FORMATS section 5, lines of 2018 to 2025).
    """
    digest = hashlib.sha256(f"{op_id}/{host}".encode()).hexdigest()
    vpxa = f"{op_id}-01-{digest[:2]}" if generation is Generation.C else f"{op_id}-{digest[:2]}"
    if agent == "vpxa":
        return vpxa
    return f"{vpxa}-{digest[2:4]}" if generation in {Generation.A, Generation.B} else f"{vpxa}-{digest[2:6]}"


class Diary:
    """Writes the lines of one host, by the host's own clock: `offset` is how far that is ahead of the true time."""

    def __init__(
        self,
        name: str,
        logs: HostLogs,
        *,
        seed: int,
        offset: timedelta = timedelta(0),
        noise: Sequence[str] = ("ordinary",),
    ) -> None:
        self._name = name
        self._logs = logs
        self._random = random.Random(f"{seed}/{name}")
        self._lro = self._random.randrange(100, 9000)
        self._up_for = timedelta(seconds=self._random.randrange(86_400, _LONGEST_UPTIME))
        self._booted: datetime | None = None
        self._generation = Generation.of(logs.version)
        self._subtables = [(KINDS[kind][self._generation], SHARES[kind]) for kind in noise]
        self._later: list[tuple[datetime, int, Entry]] = []
        self._order = 0
        self.offset = offset

    def remember(self, moments: Iterable[datetime]) -> None:
        """Have done ordinary work at these moments; it is written down once somebody looks."""

        def past() -> None:
            for at in moments:
                self.write_ordinary_work(at)

        self._logs.owe(past)

    def number(self) -> int:
        """Hand out the next number of vpxa's own operations, the N of lro-N."""
        self._logs.settle()
        self._lro += 1
        return self._lro

    def write(self, phrases: Iterable[Phrase], *, at: datetime, op_id: str, **blanks: str) -> None:
        """Write a table of phrases under the opIDs that vpxa and hostd of this host derive from `op_id`."""
        vpxa = derived_op_id(op_id, self._name, generation=self._generation)
        hostd = derived_op_id(op_id, self._name, "hostd", generation=self._generation)
        self._write(phrases, at=at, ids={"vpxa": vpxa, "hostd": hostd, "none": ""}, blanks=blanks)

    def write_ordinary_work(self, at: datetime) -> None:
        """Write one piece of everyday noise, of a kind that the world file allows, with an opID of its own family."""
        self._logs.settle()
        tables = [table for table, _ in self._subtables if table]
        if not tables:
            self._flush(at)
            return
        table = self._random.choices(tables, [share for table, share in self._subtables if table])[0]
        self.write_noise(self._random.choices(table, [noise.share for noise in table])[0], at)

    def write_noise(self, noise: Noise, at: datetime) -> None:
        """Write lines that belong together; those that come more than a second later wait for their time."""
        self._logs.settle()
        blanks = self._noise_blanks()
        op_id = noise.op_id.format(**blanks)
        self._write(noise.phrases, at=at, ids={"vpxa": op_id, "hostd": op_id, "none": ""}, blanks=blanks)

    def _noise_blanks(self) -> dict[str, str]:
        bits = self._random.getrandbits
        return {
            "hex8": f"{bits(32):08x}",
            "hex8b": f"{bits(32):08x}",
            "small": str(self._random.randrange(10, 9000)),
            "world": str(self._random.randrange(2_097_152, 2_199_999)),
            "uuid": f"{bits(32):08x}-{bits(16):04x}-{bits(16):04x}-{bits(16):04x}-{bits(48):012x}",
            "volume": f"5b2cf72d-c314ef74-0f37-{bits(48):012x}",
            "vm": f"other-{bits(8):03d}",
            "lan": "192.168.110",
            "proxy": f"10.99.0.{self._random.randrange(20, 24)}",
            "nic": "vmnic1",
        }

    def _write(self, phrases: Iterable[Phrase], *, at: datetime, ids: dict[str, str], blanks: dict[str, str]) -> None:
        self._logs.settle()
        self._flush(at)
        thread = self._random.randrange(2_097_152, 2_199_999)
        blanks = {**self._usual_blanks(at, ids["vpxa"]), **blanks}
        modern = self._generation in {Generation.C, Generation.D}
        for phrase in phrases:
            due = at + timedelta(milliseconds=phrase.after_ms)
            entry = Entry(
                at=due + self.offset,
                process=phrase.log,
                level=phrase.level,
                component=((phrase.later if modern else "") or phrase.component).format(**blanks),
                op_id=ids[phrase.suffix],
                body=phrase.body.format(**blanks),
                thread=thread,
                uptime=due - self._boot(at),
            )
            if due - at > _AT_ONCE:
                self._order += 1
                heapq.heappush(self._later, (due, self._order, entry))
            else:
                self._append(entry)

    def _usual_blanks(self, at: datetime, op_id: str) -> dict[str, str]:
        return {
            "nfc": "[NFC ERROR] " if self._generation in {Generation.A, Generation.B} else "[NFC ERROR]",
            "lro": str(self.number()),
            "session": "52bb5d24-2497-10d0-569c-3ec666d27030",
            "kernel": hashlib.sha256(op_id.encode()).hexdigest()[:8],
            "op_id": op_id,
            "serial": str(int(at.timestamp())),
        }

    def _boot(self, at: datetime) -> datetime:
        if self._booted is None:
            self._booted = at - self._up_for
        return self._booted

    def _flush(self, now: datetime) -> None:
        """Write what was to come later and is due by now."""
        while self._later and self._later[0][0] <= now:
            self._append(heapq.heappop(self._later)[2])

    def _append(self, entry: Entry) -> None:
        if entry.process in self._logs.keys:  # a 4.x host has no vobd.log
            self._logs.append(entry.process, written(entry, self._logs.version), at=entry.at)
