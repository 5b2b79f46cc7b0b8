"""What TLS of the syslog receiver keeps of a peer, at most."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing, suppress

import pytest

from bot.logs.syslog_tls import TlsWire


def test_a_peer_that_reads_no_answers_is_left():
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                ours.send(b"x" * 65536)
        wire = TlsWire(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        wire._outgoing.write(b"answers" * 100)
        wire._answer(ours)
        wire._outgoing.write(b"answers" * 10_000)
        with pytest.raises(ConnectionAbortedError, match="does not read our answers"):
            wire._answer(ours)
