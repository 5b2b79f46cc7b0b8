"""One host writing its logs: ordinary work all day, and what it sees of a relocation.

Takes texts from `phrases` and forms from `line_forms`, adds nothing of its own; `vcenter.relocation` says when.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.playground.esxi.host_log import HostLogs
from bot.playground.esxi.line_forms import Entry, Generation, agent_line, kernel_line
from bot.playground.esxi.ordinary import NOISE
from bot.playground.esxi.phrases import Phrase


def derived_op_id(op_id: str, *parties: str) -> str:
    """Append one two-digit suffix per party that the call passed through; the same parties give the same suffixes."""
    suffixes = (hashlib.sha256(f"{op_id}/{party}".encode()).hexdigest()[:2] for party in parties)
    return "-".join([op_id, *suffixes])


class Diary:
    """Writes the lines of one host."""

    def __init__(self, name: str, logs: HostLogs, *, seed: int) -> None:
        self._name = name
        self._logs = logs
        self._random = random.Random(f"{seed}/{name}")
        self._lro = self._random.randrange(100, 9000)
        self._generation = Generation.of(logs.version)

    def number(self) -> int:
        """Hand out the next number of vpxa's own operations, the N of lro-N."""
        self._lro += 1
        return self._lro

    def write(self, phrases: Iterable[Phrase], *, at: datetime, op_id: str, **blanks: str) -> None:
        """Write a table of phrases under the opIDs that vpxa and hostd of this host derive from `op_id`."""
        vpxa = derived_op_id(op_id, self._name)
        ids = {"vpxa": vpxa, "hostd": derived_op_id(op_id, self._name, "hostd"), "none": ""}
        self._write(phrases, at=at, ids=ids, blanks=blanks)

    def write_ordinary_work(self, at: datetime) -> None:
        """Write one piece of everyday noise with an opID of an internal family."""
        noise = self._random.choice(NOISE[self._generation])
        numbers = {"hex8": f"{self._random.getrandbits(32):08x}", "small": str(self._random.randrange(10, 9000))}
        op_id = noise.op_id.format(**numbers)
        self._write(noise.phrases, at=at, ids={"vpxa": op_id, "hostd": op_id, "none": ""}, blanks=numbers)

    def _write(self, phrases: Iterable[Phrase], *, at: datetime, ids: dict[str, str], blanks: dict[str, str]) -> None:
        thread = self._random.randrange(2_097_152, 2_199_999)
        kernel = hashlib.sha256(ids["vpxa"].encode()).hexdigest()[:8]
        blanks = {
            "nfc": "[NFC ERROR] " if self._generation in {Generation.A, Generation.B} else "[NFC ERROR]",
            "lro": str(self.number()),
            "session": "52bb5d24-2497-10d0-569c-3ec666d27030",
            "kernel": kernel,
            "op_id": ids["vpxa"],
            "serial": str(int(at.timestamp())),
            **blanks,
        }
        modern = self._generation in {Generation.C, Generation.D}
        for phrase in phrases:
            entry = Entry(
                at=at + timedelta(milliseconds=phrase.after_ms),
                process=phrase.log,
                level=phrase.level,
                component=(phrase.later if modern else "") or phrase.component,
                op_id=ids[phrase.suffix],
                body=phrase.body.format(**blanks),
                thread=thread,
            )
            form = kernel_line if phrase.log == "vmkernel" else agent_line
            self._logs.append(phrase.log, [form(entry, self._logs.version)], at=entry.at)
