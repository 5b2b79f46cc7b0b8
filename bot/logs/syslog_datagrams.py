"""Datagrams of syslog: now and then all that came is taken, and what the kernel had no room for is noticed."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Final

from bot.logs.syslog_connections import plain_address
from bot.logs.syslog_header import LIMIT
from bot.logs.syslog_hosts import Hosts
from bot.logs.syslog_sorting import Sorter, Talk

WANTED_BUFFER: Final = 16 * 1024 * 1024
LARGEST: Final = LIMIT + 1024
AT_ONCE: Final = 4096
_TABLES: Final = (Path("/proc/net/udp"), Path("/proc/net/udp6"))
_INODE: Final = 9
_DROPS: Final = -1


class Datagrams:
    """The socket for UDP. `buffer` is what the kernel grants of the bytes it keeps for us."""

    def __init__(self, address: str, port: int, hosts: Hosts, sorter: Sorter) -> None:
        """OSError when it cannot be opened."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WANTED_BUFFER)
            self._socket.setblocking(False)
            if address == "::":
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            self._socket.bind((address, port))
        except OSError:
            self._socket.close()
            raise
        self.port = int(self._socket.getsockname()[1])
        self.buffer = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        self._hosts = hosts
        self._sorter = sorter
        self._inode = str(os.fstat(self._socket.fileno()).st_ino)
        self._taken: dict[str, list[bytes]] = {}
        self._held = 0
        self._drops_told = 0
        self.dropped = 0
        self.received = 0

    def close(self) -> None:
        self._socket.close()

    def drain(self) -> bool:
        """Take what has come from the kernel, up to a bound. True: there is more."""
        shares, receive = self._taken, self._socket.recvfrom
        count = 0
        try:
            while count < AT_ONCE:
                data, peer = receive(LARGEST)
                count += 1
                share = shares.get(peer[0])
                if share is None:
                    shares[peer[0]] = [data]
                else:
                    share.append(data)
        except BlockingIOError:
            pass
        self.received += count
        self._held += count
        if self._held >= AT_ONCE:
            self.sort()
        return count == AT_ONCE

    def sort(self) -> None:
        """Look at what was taken: together, because one look at many costs little more than one at few."""
        if not self._held:
            return
        shares, self._taken, self._held = self._taken, {}, 0
        now = time.time()
        for address, datagrams in shares.items():
            self._pass_on(plain_address(address), datagrams, now)
        self._sorter.finish(now)

    def newly_dropped(self) -> int:
        """How many datagrams the kernel dropped since this was asked last, because they came too fast for us."""
        self.dropped = self._drops_now()
        new, self._drops_told = self.dropped - self._drops_told, self.dropped
        return max(new, 0)

    def _pass_on(self, address: str, datagrams: list[bytes], now: float) -> None:
        block = b"\n".join(datagrams) + b"\n"
        if b"\0" in block:
            block = block.replace(b"\0", b"\n")
        if b"\n\n" in block:
            block = block.replace(b"\n\n", b"\n")  # some senders end theirs as they would on a connection
        host = self._hosts.at(address)
        if host is None:
            self._sorter.of_many(Talk(address), block, now, datagrams=True)
        elif (record := self._sorter.of_host(host, block, now)) is not None:
            record.datagrams_at = now

    def _drops_now(self) -> int:
        """As the kernel's table of sockets tells; what was known before where it has none."""
        for table in _TABLES:
            try:
                rows = table.read_text(encoding="ascii").splitlines()
            except OSError:
                continue
            for row in rows:
                fields = row.split()
                if len(fields) > _INODE and fields[_INODE] == self._inode:
                    return int(fields[_DROPS])
        return self.dropped
