"""The hosts of the benchmark of the watch: `python -m tests.bench.watch_sender HOW PORT HOSTS RATE SECONDS`.

Each host has an address and a connection of its own and sends a line at a time, as hosts do, evenly spread. Says
"ready" once all are connected, waits for a line on its input, sends, and says how many lines each host sent and how far
it was behind at worst, in seconds.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from tests.bench.watch_lines import address_of, lines_of, name_of

GROUP: Final = 20
CONNECTING: Final = 100

Send = Callable[[bytes], object]


def main(how: str, port: int, hosts: int, rate: int, seconds: int) -> None:
    senders = {"tcp": by_tcp, "tls": by_tls, "udp": by_udp}[how](port, hosts)
    print("ready", flush=True)
    sys.stdin.readline()
    rounds, worst = spoken(senders, rate, seconds)
    print(rounds, round(worst, 3), flush=True)
    sys.stdin.readline()


def spoken(senders: Sequence[Send], rate: int, seconds: int) -> tuple[int, float]:
    """Send; returns how many lines each host has sent, and by how much the worst was late."""
    lines = [lines_of(host) for host in range(len(senders))]
    names = [name_of(host) for host in range(len(senders))]
    every = 1 / rate / max(len(senders) / GROUP, 1)
    due, worst = time.monotonic(), 0.0
    for _ in range(rate * seconds):
        for start in range(0, len(senders), GROUP):
            if (early := due - time.monotonic()) > 0:
                time.sleep(early)
            worst = max(worst, -early)
            due += every
            now = datetime.now(UTC)
            for host in range(start, min(start + GROUP, len(senders))):
                senders[host](next(lines[host]).wire(names[host], now))
    return rate * seconds, worst


def by_tcp(port: int, hosts: int) -> list[Send]:
    return [
        socket.create_connection(("127.0.0.1", port), source_address=(address_of(host), 0)).sendall
        for host in range(hosts)
    ]


def by_udp(port: int, hosts: int) -> list[Send]:
    return [_datagrams(port, address_of(host)) for host in range(hosts)]


def _datagrams(port: int, own: str) -> Send:
    sending = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sending.bind((own, 0))
    sending.connect(("127.0.0.1", port))
    return lambda line: sending.send(line[:-1])


def by_tls(port: int, hosts: int) -> list[Send]:
    """Many shake hands side by side: each waits for the receiver's round."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return [
        send
        for start in range(0, hosts, CONNECTING)
        for send in _shaken(context, port, range(start, min(start + CONNECTING, hosts)))
    ]


def _shaken(context: ssl.SSLContext, port: int, hosts: range) -> list[Send]:
    waiting = selectors.DefaultSelector()
    done: dict[int, Send] = {}
    for host in hosts:
        plain = socket.create_connection(("127.0.0.1", port), source_address=(address_of(host), 0))
        wrapped = context.wrap_socket(plain, do_handshake_on_connect=False)
        wrapped.setblocking(False)
        waiting.register(wrapped, selectors.EVENT_WRITE, host)
    while len(done) < len(hosts):
        for key, _ in waiting.select():
            shaking = key.fileobj
            try:
                shaking.do_handshake()
            except ssl.SSLWantReadError:
                waiting.modify(shaking, selectors.EVENT_READ, key.data)
                continue
            waiting.unregister(shaking)
            shaking.setblocking(True)
            done[key.data] = shaking.sendall
    return [done[host] for host in hosts]


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
