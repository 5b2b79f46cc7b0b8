"""The syslog receiver without its sockets: what strangers send, cut into pieces, and what must hold of it."""

from __future__ import annotations

import random
from typing import Final

from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost
from bot.logs.syslog_delivery import Delivery
from bot.logs.syslog_frames import Frames
from bot.logs.syslog_header import LIMIT
from bot.logs.syslog_hosts import Hosts
from bot.logs.syslog_sorting import Finder, Sorter, Talk
from bot.logs.syslog_vicinity import REMEMBERED

NEIGHBOUR: Final = WatchedHost(HostKey("east/c0ffee-1234-nobody-can-guess"), "", SourceKind.SYSLOG)
NAMED: Final = WatchedHost(HostKey("east/esx-01"), "", SourceKind.SYSLOG)
SAID: Final = "2024-03-26T04:31:17.959Z info vpxa[2101] [Originator@6876 sub=Libs] [NFC ERROR] honest"
_WIRE: Final = f"<166>{SAID.replace('Z ', 'Z x Vpxa: ', 1)}\n".encode()
_MOST_STRANGERS: Final = 301
_LARGEST_PIECE: Final = 8192


class Receiving:
    """One run: a stranger on a connection, the same as datagrams, and a host between them."""

    def __init__(self, finder: Finder) -> None:
        self._delivery = Delivery(None)  # type: ignore[arg-type]  # nothing is sent in a run
        roll = Roll([NEIGHBOUR, NAMED])
        self._hosts = Hosts(lambda: roll, ("vpxa", "hostd"), _holds(finder), lines_per_second=100)
        self._sorter = Sorter(self._hosts, self._delivery, finder, logs=("vpxa", "hostd"))
        self._now = 0.0

    def check(self, data: bytes) -> None:
        dice = random.Random(len(data))
        frames, talk = Frames(), Talk("192.0.2.1")
        place = honest = 0
        while place < len(data):
            piece = data[place : place + dice.randint(1, _LARGEST_PIECE)]
            place += len(piece)
            block = frames.feed(piece)
            assert not block or block.endswith(b"\n")
            assert len(frames._carry) <= LIMIT + 9
            if block:
                self._sorter.of_many(talk, block, self._now)
            self._sorter.of_many(Talk("192.0.2.2"), piece.replace(b"\0", b"\n") + b"\n", self._now, datagrams=True)
            self._sorter.of_host(NEIGHBOUR, _WIRE, self._now)
            honest += 1
            self._now += 0.01
            self._sorter.finish(self._now)
        if rest := frames.rest():
            self._sorter.of_many(talk, rest, self._now)
        self._sorter.finish(self._now)
        self._holds(honest)

    def _holds(self, honest: int) -> None:
        for (host, log), parcel in self._delivery._waiting.items():
            assert log in {"vpxa", "hostd"}
            assert all(len(line.text) <= LIMIT * 4 for line in parcel.lines)
            assert [line.number for line in parcel.lines] == sorted({line.number for line in parcel.lines})
            for line in parcel.lines:
                line.text.encode("utf-8", "strict")
            if host == NEIGHBOUR.key:
                assert [line.text for line in parcel.lines] == [SAID] * honest
                honest = 0
        assert honest == 0, "what the neighbour said did not arrive"
        assert len(self._hosts.strangers().unknown) <= _MOST_STRANGERS
        for record in self._hosts:
            assert record.stream._size <= REMEMBERED + 1
            record.tally()


def _holds(finder: Finder):
    def holds(text: str) -> bool:
        raw = bytearray(text.encode("utf-8", "backslashreplace"))
        return bool(finder(raw, 0, len(raw)))

    return holds
