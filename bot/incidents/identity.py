"""What a failure is called, so that it keeps its name while lines come in and old ones are forgotten. Pure.

Operations and tasks have names of their own. Where lines bear none, host and time must do: the diagnosis calls lines of
one host one failure that are closer than its `WINDOW`, so two failures of one host never come closer than that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.diagnosis.incident import WINDOW
from bot.diagnosis.opid import is_internal, op_base
from bot.diagnosis.verdict import Incident
from bot.hostlog.line import HostKey

_SPAN: Final = "span"
_LONGEST: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def failure_id(incident: Incident, hosts: Iterable[HostKey]) -> str:
    """The name of this failure, the same whatever its verdict and however many lines of it are known."""
    told_by = min(hosts, default=HostKey("/"))
    if bases := sorted(op_base(op_id).casefold() for op_id in incident.op_ids if not is_internal(op_id)):
        return f"op {_bounded(bases[0])}"
    if incident.task:
        return f"task {told_by.partition('/')[0]} {_bounded(incident.task)}"
    if incident.first is None:
        text = incident.evidence[0].text if incident.evidence else incident.id
        return f"text {told_by} {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return f"{_SPAN} {told_by} {(incident.first - _EPOCH) // timedelta(milliseconds=1)}"


def continued(failure: str, *, first: datetime, last: datetime, told: Iterable[str], until: datetime) -> str | None:
    """Which of the failures that are `told` already this nameless one goes on, if `until` is the last heard of them.

    None for one with a name of its own. A nameless one may begin later than it did when its first lines are forgotten,
    and earlier when another log of the host is read later.
    """
    kind, _, rest = failure.partition(" ")
    if kind != _SPAN or first - WINDOW > until:
        return None
    host = rest.rpartition(" ")[0]
    mine = (one for one in told if one.startswith(f"{_SPAN} {host} ") and _began(one) - WINDOW <= last)
    return max(mine, key=_began, default=None)


def _bounded(name: str) -> str:
    """What a line names may be as long as a line, and an incident keeps thousands."""
    return (
        name
        if len(name) <= _LONGEST
        else f"{name[:_LONGEST]}~{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:16]}"
    )


def _began(failure: str) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(failure.rpartition(" ")[2]))
