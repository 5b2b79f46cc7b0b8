"""The checks that rules name in `confirm_by`: what to look at, with which command, where. Data, in `checks.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "checks.toml"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that would confirm or refute a verdict.

    `unreadable` is what a report says until somebody has looked; `read_by` names the side whose lines make it untrue.
    """

    id: str
    what: str
    command: str = ""
    where: str = ""
    unreadable: str = ""
    read_by: str = ""


@cache
def load_checks() -> Mapping[str, Check]:
    raw = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {name: Check(id=name, **entry) for name, entry in raw.items()}
