"""Whose copy failed: by the opID if it is one of ours, by what the diagnosis says, else by words in the lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bot.diagnosis.causes import Session
from bot.diagnosis.opid import family_base, is_ours
from bot.diagnosis.verdict import Incident
from bot.incidents.incident import Client

_OF_SESSION: Final = {
    Session.MIGRATION: Client.MIGRATION,
    Session.BACKUP: Client.BACKUP,
    Session.REPLICATION: Client.REPLICATION,
}
_WORDS: Final = {
    Client.REPLICATION: ("hbrsrv", "hbr-", "hbrdisk", "vSphereReplication"),
    Client.BACKUP: ("veeam", "vddk", "velero", "bpbkar", "commvault", "rubrik", "cohesity", "avamar", "dsmc"),
    Client.MIGRATION: (
        "vim.VirtualMachine.relocate",
        "vim.VirtualMachine.clone",
        "vim.VirtualMachine.migrate",
        "[VpxNfcClient]",
        "[NfcCopy]",
        "RelocateVM_Task",
        "vmotion",
    ),
}
"""What products call themselves in lines, in the order in which it counts; hosts copy for vCenter as NfcClient."""


def client_of(incident: Incident) -> Client:
    """Whose it is; OTHER where nothing tells."""
    if job_of(incident.op_ids):
        return Client.OURS
    if (told := _OF_SESSION.get(incident.session or Session.OTHER)) is not None:
        return told
    return Client.OTHER if incident.session is Session.OTHER else _by_words(incident)


def job_of(op_ids: Iterable[str]) -> str | None:
    """The migration of this bot whose opID is among these."""
    ours = next((family_base(op_id) for op_id in op_ids if is_ours(op_id)), None)
    return ours.split("-")[1].casefold() if ours else None


def _by_words(incident: Incident) -> Client:
    text = "\n".join((*incident.op_ids, *(line.text for line in incident.evidence))).casefold()
    return next(
        (client for client, words in _WORDS.items() if any(word.casefold() in text for word in words)), Client.OTHER
    )
