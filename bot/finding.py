"""What a look at the outside world found: the one form in which every room tells `coldmigrate doctor` how it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and one day it may not, or may lose something."""

    ERROR = "error"
    """It does not work, or loses what people were promised."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `about` is a short stable name, `<what>.<which>`; without fault `do` is empty."""

    about: str
    verdict: Verdict
    says: str
    do: str = ""


def fine(about: str, says: str) -> Finding:
    """Nothing to do."""
    return Finding(about, Verdict.OK, says)


def warning(about: str, says: str, *, do: str) -> Finding:
    """It should be otherwise."""
    return Finding(about, Verdict.WARNING, says, do)


def error(about: str, says: str, *, do: str) -> Finding:
    """It has to be otherwise."""
    return Finding(about, Verdict.ERROR, says, do)
