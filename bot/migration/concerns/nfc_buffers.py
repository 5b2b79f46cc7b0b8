"""Copies, backups over the network and replication share the NFC buffers of a host: 48 MB, 1 MB a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, host, note, source_host, survey, warn
from bot.migration.facts import HostFacts
from bot.migration.plan import Severity

BUFFERS: Final = 48
"""Streams that fit into a host's NFC buffers (vSphere VDDK docs, "NFC session limits")."""

CROWDED: Final = BUFFERS // 2


def check(choice: Choice) -> Iterator[Finding]:
    """Warn when the disks of this VM do not fit beside what is there; note a host that is half full."""
    sessions = (choice.survey.nfc_sessions if choice.survey else None) or {}
    for end in (choice.vm.on, choice.host):
        if end is None or end.name not in sessions:
            continue
        taken = sessions[end.name] + (end.copies or 0)
        if taken + len(choice.vm.disks) > BUFFERS:
            yield warn(f"{_in_words(end, sessions[end.name])} Too few are left for {choice.vm.ref.name}: it may fail.")
        elif taken >= CROWDED:
            yield note(_in_words(end, sessions[end.name]))


def _in_words(end: HostFacts, others: int) -> str:
    return (
        f"Host {end.name} has {others} NFC sessions of others (backups, replication) and {end.copies or 0} copies;"
        f" its buffers hold {BUFFERS} streams."
    )


GUARD = Guard(
    id="nfc-buffers",
    when="NFC sessions of others and copies leave too few of a host's 48 MB of buffers; a note from half full on.",
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="waiting for the backup's end (--at), or another --host",
    check=check,
    refined_by=(*survey("nfc_sessions"), *source_host("vm"), *host("vm")),
)
