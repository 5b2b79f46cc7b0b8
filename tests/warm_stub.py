"""Stands for a process that another one forks: see `warm`. Run as `python -I -S warm_stub.py ADDRESS MODULE WORDS…`.

Nothing is imported that is not built in: this has to start in no time.
"""

import _signal
import _socket
import marshal
import os
import sys

_PASSED_ON = (
    _signal.SIGTERM,
    _signal.SIGINT,
    _signal.SIGHUP,
    _signal.SIGQUIT,
    _signal.SIGUSR1,
    _signal.SIGUSR2,
    _signal.SIGCONT,
)


def main() -> None:
    """Have it forked, pass signals on, end as it ends."""
    peer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    peer.connect(sys.argv[1])
    order = marshal.dumps((sys.argv[2:], os.getcwd(), dict(os.environb)))  # noqa: PTH109 - pathlib takes as long to load as all the rest
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    head = len(order).to_bytes(8, "big")
    peer.sendmsg([head], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    peer.sendall(order)
    pid = int.from_bytes(_heard(peer), "big", signed=True)
    for number in _PASSED_ON:
        _signal.signal(number, lambda which, _: _pass_on(pid, which))
    code = int.from_bytes(_heard(peer), "big", signed=True)
    if code < 0:
        _signal.signal(-code, _signal.SIG_DFL) if -code != _signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    os._exit(code)


def _pass_on(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _heard(peer: _socket.socket) -> bytes:
    word = peer.recv(8, _socket.MSG_WAITALL)
    if len(word) < 8:
        os._exit(70)
    return word


main()
