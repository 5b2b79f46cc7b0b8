"""A process whose wall clock is wrong, and jumps while it works. Linux on x86-64 only, which is what CI has.

Nothing of the product is touched: the C library's `clock_gettime` is replaced in this one process, so Python, OpenSSL
and every library see the wrong time. (A time namespace cannot do that: it moves the steady clocks alone. libfaketime
would, and is one more thing to install.) The offset is read at every call from a file that somebody else may change.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import struct
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.chaos.rows import UnmeasuredError

_PAGE: Final = mmap.PAGESIZE
_ALL: Final = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC


def possible() -> bool:
    """Whether a process here can have a clock of its own."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def set_offset(file: Path, by: timedelta) -> None:
    """Let the wall clock of every process that follows this file be ahead by so much, from its next look on."""
    with file.open("r+b" if file.exists() else "w+b") as out:
        out.write(struct.pack("<q", round(by.total_seconds())))


def take_hold(file: str) -> None:
    """Let this process follow the file from now on."""
    if not possible():
        raise UnmeasuredError("only on Linux and x86-64 can a process be given a wrong clock here")
    with Path(file).open("r+b") as opened:
        offset = mmap.mmap(opened.fileno(), 8)
    code = mmap.mmap(-1, _PAGE, prot=_ALL)
    code.write(_machine_code(_address(offset)))
    for kept in (offset, code):  # even when the interpreter ends: its last words ask for the time, too
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    entry = ctypes.cast(libc.clock_gettime, ctypes.c_void_p).value
    assert entry is not None
    first = entry // _PAGE * _PAGE
    if libc.mprotect(ctypes.c_void_p(first), ctypes.c_size_t(2 * _PAGE), _ALL):
        raise UnmeasuredError("the kernel lets no process change its own code")
    jump = b"\x48\xb8" + struct.pack("<Q", _address(code)) + b"\xff\xe0"  # mov rax, code; jmp rax
    ctypes.memmove(entry, jump, len(jump))
    sys.stderr.write(f'{{"wrong_clock": {time.time():.0f}}}\n')


def _address(memory: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def _machine_code(offset: int) -> bytes:
    """clock_gettime by system call; seconds of the wall clock, and of no other clock, are moved."""
    return b"".join(
        (
            b"\xb8\xe4\x00\x00\x00",  # mov eax, 228
            b"\x0f\x05",  # syscall
            b"\x85\xc0\x75\x14",  # test eax, eax; jne to the end
            b"\x85\xff\x75\x10",  # test edi, edi (0 is CLOCK_REALTIME); jne to the end
            b"\x48\xb9" + struct.pack("<Q", offset),  # mov rcx, offset
            b"\x48\x8b\x09",  # mov rcx, [rcx]
            b"\x48\x01\x0e",  # add [rsi], rcx
            b"\xc3",  # ret
        )
    )
