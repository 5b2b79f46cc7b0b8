"""What somebody on call asked to be explained, on its way from the edge that heard it to the worker that finds out.

A diagnosis is a job like any other: what was asked is in its `data`, so an acknowledged question survives the death
of everybody who knows of it. It takes no VM and never starts anything. Of its phases it has five: drafted, checking,
and the ends done, failed and cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from bot.errors import BugError
from bot.jobs.port import NewJob

DIAGNOSE: Final = "diagnose"
"""The kind of a job that answers an inquiry, and the lane that such jobs wait in."""

_PREFIX: Final = "inquiry_"


class SubjectKind(StrEnum):
    """What there is to look at."""

    NAME = "name"  # anything typed: a VM, a host, a job's id, task-123, an opID
    TEXT = "text"  # a log that somebody pasted
    FILE = "file"  # a log, a .gz or a bundle that somebody dropped


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question. BugError for one that names nothing to look at.

    `typed` is what stood behind the command, as it was typed. `since` is how far back to read, if that was said.
    `blob` is the SHA-256 of a text or file in bot.store.blobs, `file_name` what its owner calls it. The answer goes to
    `channel`, into the thread of the message `thread`; empty: as a message of its own.
    """

    kind: SubjectKind
    channel: str
    typed: str = ""
    since: timedelta | None = None
    blob: str = ""
    file_name: str = ""
    thread: str = ""

    def __post_init__(self) -> None:
        if not (self.typed if self.kind is SubjectKind.NAME else self.blob):
            raise BugError(f"an inquiry of the kind '{self.kind}' without a subject")

    @property
    def subject(self) -> str:
        """What is asked about, in a few words; as strangers wrote it."""
        match self.kind:
            case SubjectKind.NAME:
                return self.typed
            case SubjectKind.TEXT:
                return "the pasted log"
            case SubjectKind.FILE:
                return self.file_name or "the file"

    def to_data(self) -> dict[str, str]:
        """The fields of a job that hold this."""
        return {
            f"{_PREFIX}kind": self.kind,
            f"{_PREFIX}channel": self.channel,
            f"{_PREFIX}typed": self.typed,
            f"{_PREFIX}since": "" if self.since is None else str(self.since.total_seconds()),
            f"{_PREFIX}blob": self.blob,
            f"{_PREFIX}file_name": self.file_name,
            f"{_PREFIX}thread": self.thread,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> Inquiry:
        """What `to_data` wrote. BugError for fields that this version cannot read."""
        try:
            since = data[f"{_PREFIX}since"]
            return cls(
                kind=SubjectKind(data[f"{_PREFIX}kind"]),
                channel=data[f"{_PREFIX}channel"],
                typed=data[f"{_PREFIX}typed"],
                since=timedelta(seconds=float(since)) if since else None,
                blob=data[f"{_PREFIX}blob"],
                file_name=data[f"{_PREFIX}file_name"],
                thread=data[f"{_PREFIX}thread"],
            )
        except (KeyError, ValueError, OverflowError) as error:
            told = f"{type(error).__name__}: {error}"
            raise BugError(f"An inquiry cannot be read by this version of coldmigrate ({told}).") from error


def inquiry_job(inquiry: Inquiry, *, requester: str, dedupe: str) -> NewJob:
    """The draft that answers an inquiry; the same `dedupe` drafts once. Put the blob before it is drafted."""
    return NewJob(
        kind=DIAGNOSE,
        vm_key="",
        requester=requester,
        channel=inquiry.channel,
        data=inquiry.to_data(),
        dedupe=dedupe,
        lane=DIAGNOSE,
    )
