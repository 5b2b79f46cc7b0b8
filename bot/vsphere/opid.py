"""The operation id: the word that joins a call, its task and the lines of every host's log.

It is a SOAP header kept per thread, so it must be set inside the thread that makes the call; and it is set for
RelocateVM_Task alone, so that whatever carries it in a log is that relocation.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pyVmomi.VmomiSupport import GetRequestContext

from bot.errors import BugError

HEADER = "operationID"
ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,64}")  # hosts write it into `[… opID=… ]`: no blank and no bracket may be in it


@contextmanager
def operation_id(value: str) -> Iterator[None]:
    """Send `value` with every call that this thread makes inside the block."""
    if not ALLOWED.fullmatch(value):
        raise BugError(f"{value!r} cannot be an operation id")
    context = GetRequestContext()
    context[HEADER] = value
    try:
        yield
    finally:
        context.pop(HEADER, None)
