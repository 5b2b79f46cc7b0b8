"""A log of any length whose failures are known: bursts of NFC failures amid ordinary lines, and the truth about them.

Texts are published ones (the recorded cases and KB 393932) or their siblings of the same library; when they come, who
asked and how they mix with other work is invented. The same seed gives the same bytes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.diagnosis.truth.renderings import ordinary_entries

LAYOUTS = ("5.0", "6.x", "7.x", "8.x")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{3}")
_OF_LAYOUT = {
    "5.0": re.compile(r"^[\d-]{10}T[\d:.]+Z \["),
    "6.x": re.compile(r"^[\d-]{10}T[\d:.]+Z \w+ \w+\[[0-9A-F]*[A-F][0-9A-F]*\]"),
    "7.x": re.compile(r"^[\d-]{10}T[\d:.]+Z \w+ \w+\[\d+\]"),
    "8.x": re.compile(r"^[\d-]{10}T[\d:.]+Z \w\w\(\d+\)"),
}
_LOOP = re.compile(r"HB-host-|SWI-")
_APART = timedelta(minutes=1)
_SHORT = {"error": "Er(163)", "warning": "Wa(164)", "info": "In(166)"}

_BURSTS: dict[str, tuple[tuple[str, str], ...]] = {
    "port_blocked": (
        ("error", "[NFC ERROR]NfcNewAuthdConnectionEx: Failed to connect to server {peer}:902"),
        ("error", "[NFC ERROR]NfcEstablishAuthCnxToServer: Failed to create authentication connection"),
        ("error", "[NFC ERROR]Nfc_BindAndEstablishAuthdCnx3: Failed to connect to server {peer}:902"),
    ),
    "packet_loss": (
        ("warning", "[NFC ERROR] NfcNetTcpWrite: bWritten: -1"),
        ("warning", "[NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes"),
        ("warning", "[NFC ERROR] NfcFile_SendMessage: data send failed:"),
        ("warning", "[NFC ERROR] Nfc_PutFile: failed to send the buffer"),
    ),
    "nfc_memory_limit": (
        (
            "error",
            (
                "[NFC ERROR] NfcFssrvrProcessErrorMsg: received NFC error 5 from server: "
                "Failed to allocate the requested {size} bytes"
            ),
        ),
    ),
    "file_locked": (
        (
            "error",
            (
                "[NFC ERROR] NfcFssrvr_DiskOpen: received diskLib error 1048585 from server: NfcFssrvrOpen: "
                "Failed to open '/vmfs/volumes/{peer}/web.vmdk': Device or resource busy"
            ),
        ),
    ),
}


@dataclass(frozen=True)
class Burst:
    """The truth about one failure."""

    op_id: str
    cause: str
    first: datetime
    last: datetime
    lines: int


@dataclass(eq=False)
class _Story:
    """A failure that is being told; `texts` are those still to come."""

    op_id: str
    cause: str
    texts: list[tuple[str, str]]


class Log:
    """Yields lines; `bursts` is the truth about those yielded so far."""

    def __init__(self, layout: str, *, seed: int, every: int) -> None:
        """`every` is after how many ordinary lines, on average, a burst begins; 0 is never."""
        self._rng = random.Random(f"{layout}|{seed}|{every}")
        self._layout = layout
        self._every = every
        self._moment = datetime(2024, 5, 1, tzinfo=UTC)
        self._ordinary = [
            _STAMP.split(line, maxsplit=1) for line in ordinary_entries() if _OF_LAYOUT[layout].match(line)
        ]
        self.bursts: list[Burst] = []

    def lines(self, size: int) -> Iterator[str]:
        """Yield about `size` bytes of lines; a burst that has begun is ended."""
        while size > 0:
            lines = [self._calm()]
            if self._every and self._rng.randrange(self._every) == 0:
                lines += self._burst()
            for line in lines:
                size -= len(line) + 1
                yield line

    def _tick(self) -> str:
        self._moment += timedelta(milliseconds=self._rng.randrange(1, 90))
        return self._moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self._moment.microsecond // 1000:03d}"

    def _calm(self) -> str:
        before, after = self._rng.choice(self._ordinary)
        return f"{before}{self._tick()}{after}"

    def _burst(self) -> list[str]:
        """Return one failure or two at once. What fails under a housekeeping loop is told apart by time alone, so that
        comes by itself, more than the half minute away from others that the engine joins such lines over.
        """
        op_ids = [self._op_id() for _ in range(self._rng.choice((1, 1, 2)))]
        if any(_LOOP.match(op_id) for op_id in op_ids):
            self._moment += _APART
            lines = self._told(op_ids[:1])
            self._moment += _APART
            return lines
        return self._told(op_ids)

    def _told(self, op_ids: list[str]) -> list[str]:
        rng = self._rng
        lines: list[str] = []
        stories = [self._story(op_id) for op_id in op_ids]
        moments: dict[str, list[datetime]] = {op_id: [] for op_id in op_ids}
        while stories:
            while rng.random() < 0.3:
                lines.append(self._calm())
            story = rng.choice(stories)
            severity, text = story.texts.pop(0)
            stamp = self._tick()
            moments[story.op_id].append(self._moment.replace(microsecond=self._moment.microsecond // 1000 * 1000))
            lines.append(self._dressed(stamp, severity, story.op_id, text))
            if not story.texts:
                stories.remove(story)
                when = moments[story.op_id]
                self.bursts.append(Burst(story.op_id, story.cause, when[0], when[-1], len(when)))
        return lines

    def _story(self, op_id: str) -> _Story:
        rng = self._rng
        cause = rng.choice(sorted(_BURSTS))
        peer = f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
        script = _BURSTS[cause]
        told = [script[number % len(script)] for number in range(rng.randrange(4, 21))]
        size = rng.randrange(10**6, 10**7)
        return _Story(op_id, cause, [(severity, text.format(peer=peer, size=size)) for severity, text in told])

    def _op_id(self) -> str:
        rng = self._rng
        return rng.choice(
            (
                f"{rng.getrandbits(32):08X}-{rng.getrandbits(32):08X}-{rng.randrange(256):02x}",
                (
                    f"RelocateVM-{rng.randrange(10**6)}-auto-{rng.getrandbits(16):x}-h5:7{rng.randrange(10**7):07d}-"
                    f"{rng.randrange(256):02x}"
                ),
                f"{rng.getrandbits(32):08x}-{rng.randrange(256):02x}",
                f"HB-host-{rng.randrange(9, 2000)}@{rng.randrange(1, 99999)}-{rng.getrandbits(32):08x}",
                f"SWI-{rng.getrandbits(32):08x}",
                f"cm-{rng.getrandbits(32):08x}-a1-{rng.randrange(256):02x}",
            )
        )

    def _dressed(self, stamp: str, severity: str, op_id: str, text: str) -> str:
        match self._layout:
            case "5.0":
                return f"{stamp}Z [1C69CB90 {severity} 'Libs' opID={op_id}] {text}"
            case "6.x":
                return f"{stamp}Z {severity} vpxa[295B9B70] [Originator@6876 sub=Libs opID={op_id}] {text}"
            case "7.x":
                return f"{stamp}Z {severity} vpxa[2101278] [Originator@6876 sub=Libs opID={op_id}] {text}"
            case _:
                return f"{stamp}Z {_SHORT[severity]} Vpxa[2101278]: [Originator@6876 sub=Libs opID={op_id}] {text}"
