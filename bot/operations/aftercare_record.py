"""What may be done about a migration after it ended, as the job that does it keeps it in its `data`.

Such a job is like any other, so a click that was acknowledged survives everybody who knows of it. It has no card: what
it has to say goes into the thread of the migration. Of its phases it has five: drafted, checking, and the ends done,
failed and cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.errors import BugError
from bot.migration.request import JobId

AFTERCARE: Final = "aftercare"
"""The kind of a job that does one of these acts."""


class Act(StrEnum):
    """What can be done."""

    POWER_ON_SOURCE = "power-on-source"
    DELETE_LEFTOVERS = "delete-leftovers"
    EVIDENCE = "evidence"
    MEASURE = "measure"

    @property
    def takes_vm(self) -> bool:
        """Whether nothing else may be done with the VM meanwhile."""
        return self in (Act.POWER_ON_SOURCE, Act.DELETE_LEFTOVERS)


IN_WORDS: Final = {
    Act.POWER_ON_SOURCE: "Power on at source",
    Act.DELETE_LEFTOVERS: "Looking at what is left",
    Act.EVIDENCE: "The evidence pack",
    Act.MEASURE: "Measuring the path",
}


@dataclass(frozen=True, slots=True)
class Aftercare:
    """One act. `of`: the migration; `detail`: what was confirmed, such as the fingerprint of a list of files."""

    act: Act
    of: JobId
    detail: str = ""

    def to_data(self) -> dict[str, str]:
        """The fields of a job that hold this."""
        return {"act": self.act, "of": self.of, "detail": self.detail, "title": f"{self.act} for {self.of}"}

    def reply_key(self, job: JobId) -> str:
        """What the one reply of the job that does this is recognised by."""
        return f"{self.act}-{job}"

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> Aftercare:
        """What `to_data` wrote. BugError for fields that this version cannot read."""
        try:
            return cls(Act(data["act"]), JobId(data["of"]), data.get("detail", ""))
        except (KeyError, ValueError) as error:
            raise BugError(f"An act of aftercare cannot be read by this version of coldmigrate ({error}).") from error
