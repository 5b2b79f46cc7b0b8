"""Which lines belong to one migration: surely, by its operation id; or probably, by VM, task and time. Pure.

vCenter and each host append their own words to an operation id (`cm-ab12cd34-a1-5f`, then `…-5f-01-39-6b81`), so ours
is a prefix that ends at a dash or at the end. The form of these words differs between versions; the rule does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.hostlog.line import LogLine

_OP_ID: Final = re.compile(r"\bopI[dD]=([^\s\],]+)")
_VM_NAME_EDGE: Final = r"[^A-Za-z0-9_.-]"


class Match(StrEnum):
    """How sure it is that a line belongs to the migration."""

    EXACT = "exact"
    PROBABLE = "probable"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked for. `since` and `until` bound when lines were read here, whose clock is ours."""

    op_id: str
    vm_name: str
    vm_path_name: str
    task: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def op_ids_in(text: str) -> list[str]:
    """Return the operation ids that a line carries."""
    return _OP_ID.findall(text)


def same_operation(text: str, op_id: str) -> bool:
    """Say whether a line carries this operation id or one derived from it; case does not count."""
    return any(derived_from(found, op_id) for found in op_ids_in(text))


def derived_from(found: str, op_id: str) -> bool:
    """Say whether `found` is `op_id`, or begins with it up to a dash."""
    ours, theirs = op_id.casefold(), found.casefold()
    return bool(ours) and (theirs == ours or theirs.startswith(f"{ours}-"))


def match(line: LogLine, subject: Subject) -> Match | None:
    """Say how a line belongs to the subject, or None. What carries another migration's operation id is not its own."""
    if same_operation(line.text, subject.op_id):
        return Match.EXACT
    if any(is_ours_by_form(found) for found in op_ids_in(line.text)) or not _in_time(line.seen_at, subject):
        return None
    return Match.PROBABLE if _names(line.text, subject) else None


def is_ours_by_form(op_id: str) -> bool:
    """Say whether an operation id was given by this product, to whichever migration."""
    return re.match(r"(?i)cm-[a-z2-7]{8}-a\d+(-|$)", op_id) is not None


def select(lines: Iterable[LogLine], subject: Subject) -> list[tuple[LogLine, Match]]:
    """Return the lines of the subject: the exact ones, or, if there is not one, those that probably are its own."""
    found: list[tuple[LogLine, Match]] = [(line, how) for line in lines if (how := match(line, subject)) is not None]
    exact: list[tuple[LogLine, Match]] = [(line, how) for line, how in found if how is Match.EXACT]
    return exact or found


def _in_time(moment: datetime, subject: Subject) -> bool:
    return not (subject.since and moment < subject.since) and not (subject.until and moment > subject.until)


def _names(text: str, subject: Subject) -> bool:
    folder = subject.vm_path_name.rpartition("/")[0]  # "[ds] web01/web01.vmx": its files are named in full
    return (
        bool(folder and f"{folder}/" in text)
        or bool(subject.task and _has_word(text, subject.task))
        or _has_word(text, subject.vm_name)
    )


def _has_word(text: str, word: str) -> bool:
    """Say whether the text has this name as a whole: `web1` is not in `web10` nor in `web1-old`."""
    return bool(word) and re.search(rf"(?:^|{_VM_NAME_EDGE}){re.escape(word)}(?:$|{_VM_NAME_EDGE})", text) is not None
