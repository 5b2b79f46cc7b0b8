"""Collectors over the task history: made, read, and given back, for a session may hold 32 of them.

One whose giving back was lost on the way stays with its session for as long as that lives. When they have become too
many the session is spent, and a new one has none.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyVmomi import vim

from bot.vsphere.session import Connected, SpentSessionError


@contextmanager
def task_collector(connected: Connected, spec: Any) -> Iterator[Any]:
    """Lend a TaskHistoryCollector. SpentSessionError when the session is granted no more of them."""
    try:
        collector = connected.content.taskManager.CreateCollectorForTasks(spec)
    except vim.fault.InvalidState as fault:
        raise SpentSessionError(fault) from fault
    try:
        yield collector
    finally:
        collector.DestroyCollector()
