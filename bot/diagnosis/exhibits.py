"""The lines that a verdict shows: which ones, what each is to it, and what it captured.

No weighing here: which rule explains the failure is known before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.diagnosis.causes import Basis, Role
from bot.diagnosis.event import Event
from bot.diagnosis.group import Witness
from bot.diagnosis.rules import Rule
from bot.diagnosis.verdict import Evidence

_MOST_EVIDENCE = 60
_LONGEST_TEXT = 2000
_RANK = {Role.DECISIVE: 0, Role.SYMPTOM: 1, Role.UNWINDING: 2, Role.CONTEXT: 3}


def basis_of(witnesses: Iterable[Witness]) -> Basis:
    """Both ends have spoken when failing lines come from source and destination, or from two hosts that gave names."""
    failing = [witness.event for witness in witnesses if not witness.context_only]
    sides = {event.source.side for event in failing} & {"source", "destination"}
    hosts = {event.host for event in failing if event.host}
    return Basis.BOTH_ENDS if len(sides) > 1 or len(hosts) > 1 else Basis.LOG


def _role(witness: Witness, rule: Rule | None, *, first: bool) -> Role:
    """Return what a line is to the incident. A wrapper that repeats the decisive text is still a wrapper."""
    roles = {hit.rule.role for hit in witness.hits}
    if rule and any(hit.rule.role is Role.DECISIVE and hit.rule.cause is rule.cause for hit in witness.hits):
        return Role.DECISIVE if first or Role.UNWINDING not in roles else Role.UNWINDING
    return min((Role.SYMPTOM if role is Role.DECISIVE else role for role in roles), key=_RANK.__getitem__)


def exhibits(witnesses: Sequence[Witness], rule: Rule | None) -> tuple[Evidence, ...]:
    """Return the weightiest lines, in their order."""
    lines: list[Evidence] = []
    for witness in witnesses:
        undecided = all(line.role is not Role.DECISIVE for line in lines)
        lines.append(_exhibit(witness.event, _role(witness, rule, first=undecided)))
    weightiest = sorted(range(len(lines)), key=lambda place: (_RANK[lines[place].role], place))[:_MOST_EVIDENCE]
    return tuple(lines[place] for place in sorted(weightiest))


def _exhibit(event: Event, role: Role) -> Evidence:
    source = event.source
    return Evidence(source.file, source.line, _clipped(source.text), role, event.timestamp, event.host)


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + " … [cut]"


def captured_by(witnesses: Sequence[Witness], rule: Rule | None) -> Mapping[str, str]:
    """Return what the first decisive line told, completed by later ones."""
    captured: dict[str, str] = {}
    for witness in witnesses:
        for hit in witness.hits:
            if hit.rule is rule:
                captured = {**hit.captured, **captured}
    return captured
