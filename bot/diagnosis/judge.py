"""Says what a group of lines means: the cause, how sure that is, what it rests on, and what to do next.

The only place that weighs rules against each other. A log alone never makes a transport cause surer than the ceiling in
`causes.py`, and lines that name no cause are `undetermined`, never a guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.diagnosis.causes import STAGE_IN_WORDS, TRANSPORT, TRANSPORT_CEILING, Basis, Cause, Role, Stage
from bot.diagnosis.checks import Check, load_checks, path_values
from bot.diagnosis.facts import Facts
from bot.diagnosis.group import Group, Witness
from bot.diagnosis.patterns import compile_pattern
from bot.diagnosis.rules import Catalogue, Rule
from bot.diagnosis.template import fill, fill_quoted
from bot.diagnosis.verdict import Alternative, Evidence, Incident, MatchKind, NextCheck, Workaround
from bot.diagnosis.workarounds import load_workarounds, values_of

_CORROBORATED = 0.05
_CONTRADICTED = 0.5
_GUESS = 0.3  # what a cause that would explain all symptoms gets, when no line names it
_SILENT = 0.5  # causes other than transport usually leave a line that names them; here it is missing
_MOST_EVIDENCE = 60
_LONGEST_TEXT = 2000
_UNDETERMINED_CHECKS = ("log.hostd.destination", "log.vmkernel", "event.host_disconnected")
_RANK = {Role.DECISIVE: 0, Role.SYMPTOM: 1, Role.UNWINDING: 2, Role.CONTEXT: 3}
_VM_FOLDER = compile_pattern(r"(?:^\[[^\]]+\] |^/vmfs/volumes/[^/]+/)(?P<vm>[^/]+)/")
# What a sentence says where the lines did not.
_PROSE = {
    "bytes": "some",
    "peer": "the other host",
    "port": "902",
    "path": "the file",
    "process": "an agent",
    "code": "unknown",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The rule that explains a group best, and how sure it is; `others` are the roots that it won against."""

    rule: Rule
    confidence: float
    others: Mapping[Cause, float]


class Judge:
    """Judges groups for one caller, who may know the migration behind them."""

    def __init__(self, catalogue: Catalogue, facts: Facts) -> None:
        self._catalogue = catalogue
        self._facts = facts

    def incident(self, group: Group, match: MatchKind) -> Incident:
        """Return the verdict on one group."""
        witnesses = group.witnesses()
        basis = _basis(witnesses)
        finding = self._finding(group, witnesses, basis)
        rule = finding.rule if finding else None
        evidence = _evidence(witnesses, rule)
        captured = _captured(witnesses, rule)
        values = self._values(captured, group.span.first)
        stage = rule.stage if rule else self._stage(witnesses)
        checks = [load_checks()[name] for name in self._checks(group, rule)]
        prose = {**_PROSE, **values}
        return Incident(
            id=_identity(group, witnesses),
            cause=rule.cause if rule else Cause.UNDETERMINED,
            confidence=finding.confidence if finding else 0.0,
            basis=basis,
            stage=stage,
            first=group.span.first,
            last=group.span.last,
            op_ids=tuple(sorted((group.bases or group.loops).values())),
            match=match,
            task=_first_task(group) or (self._facts.task if match is MatchKind.EXACT else None),
            vm=self._vm(captured, witnesses),
            hosts=tuple(sorted(group.hosts)),
            peer=captured.get("peer"),
            lines=group.span.lines,
            evidence=evidence,
            explanation=fill(rule.explanation, prose) if rule else _undetermined(stage, values["first"]),
            known=tuple(fill(line, prose) for line in rule.known) if rule else tuple(self._what_was_read(group)),
            ruled_out=tuple(fill(line, prose) for line in rule.ruled_out) if rule else (),
            unreadable=_unreadable(checks, witnesses),
            next_checks=tuple(_next_checks(checks, rule, values, self._facts)),
            links=rule.links if rule else (),
            alternatives=self._alternatives(group, finding),
            workarounds=tuple(self._workarounds(rule)),
        )

    def mentions(self, group: Group) -> bool:
        """Tell whether the lines speak of the migration that the caller knows, or hit its whole host."""
        facts = self._facts
        names = [
            name
            for name in (facts.task, facts.source_folder, facts.vm, *(disk.descriptor for disk in facts.disks))
            if name
        ]
        texts = [witness.event.text for witness in group.witnesses()]
        return any(_names(text, name) for text in texts for name in names) or (
            group.anonymous and any(self._rule(name).host_wide for name in group.rules)
        )

    def _rule(self, name: str) -> Rule:
        return self._catalogue.rules[name]

    def _roots(self, group: Group) -> list[Rule]:
        return [self._rule(name) for name in group.rules if self._rule(name).role is Role.DECISIVE]

    def _finding(self, group: Group, witnesses: Sequence[Witness], basis: Basis) -> Finding | None:
        roots = self._roots(group)
        explained = {name for rule in roots for name in rule.explains}
        scores = {rule.id: _score(rule, group, basis) for rule in roots if rule.id not in explained}
        if not scores:
            return None
        places = {hit.rule.id: place for place, witness in reversed(list(enumerate(witnesses))) for hit in witness.hits}
        best = min(scores, key=lambda name: (-scores[name], places.get(name, len(witnesses)), name))
        others = {rule.cause: scores.get(rule.id, 0.0) for rule in roots if rule.id in scores and rule.id != best}
        return Finding(self._rule(best), scores[best], others)

    def _alternatives(self, group: Group, finding: Finding | None) -> tuple[Alternative, ...]:
        if finding:
            weights = _heaviest([finding.rule.alternatives, finding.others])
            weights.pop(finding.rule.cause, None)
        else:
            weights = self._guesses(group)
        ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Alternative(cause, confidence) for cause, confidence in ordered if confidence > 0)

    def _guesses(self, group: Group) -> dict[Cause, float]:
        symptoms = [self._rule(name) for name in group.rules if not self._rule(name).catch_all]
        explaining: dict[str, int] = {}
        for symptom in symptoms:
            for root in self._catalogue.explaining(symptom.id):
                explaining[root.id] = explaining.get(root.id, 0) + 1
        guesses = (_guess(self._rule(name).cause, count / len(symptoms)) for name, count in explaining.items())
        return _heaviest([*guesses, *(symptom.alternatives for symptom in symptoms)])

    def _stage(self, witnesses: Sequence[Witness]) -> Stage | None:
        stages = (hit.rule.stage for witness in witnesses if not witness.context_only for hit in witness.hits)
        return next((stage for stage in stages if stage), None)

    def _checks(self, group: Group, rule: Rule | None) -> Iterable[str]:
        if rule is not None:
            return rule.confirm_by
        guessed = (
            root.confirm_by
            for name in group.rules
            if not self._rule(name).catch_all
            for root in self._catalogue.explaining(name)[:1]
        )
        return dict.fromkeys([*_UNDETERMINED_CHECKS, *(name for names in guessed for name in names)])

    def _what_was_read(self, group: Group) -> Iterable[str]:
        for name, count in group.rules.items():
            yield f"{self._rule(name).title}: {count} line{'s' if count > 1 else ''}."

    def _values(self, captured: Mapping[str, str], first: datetime | None) -> dict[str, str]:
        moment = first.strftime("%H:%M:%S UTC on %Y-%m-%d") if first else "an unknown time"
        return {**values_of(self._facts), **path_values(self._facts), **captured, "first": moment}

    def _vm(self, captured: Mapping[str, str], witnesses: Sequence[Witness]) -> str | None:
        if self._facts.vm:
            return self._facts.vm
        path = captured.get("path") or next((path for witness in witnesses if (path := witness.captured("path"))), "")
        found = _VM_FOLDER.match(path)
        return found.groupdict()["vm"] if found else None

    def _workarounds(self, rule: Rule | None) -> Iterable[Workaround]:
        recipes = load_workarounds()
        return (recipes[name].fill(self._facts) for name in rule.workarounds) if rule else ()


def _score(rule: Rule, group: Group, basis: Basis) -> float:
    confidence = rule.confidence
    if rule.explains & group.rules.keys():
        confidence += _CORROBORATED
    if rule.contradicted_by & group.rules.keys():
        confidence *= _CONTRADICTED
    ceiling = TRANSPORT_CEILING[basis] if rule.cause in TRANSPORT else 1.0
    return round(min(confidence, ceiling), 2)


def _guess(cause: Cause, explained: float) -> dict[Cause, float]:
    return {cause: round(_GUESS * explained * (1 if cause in TRANSPORT else _SILENT), 2)}


def _basis(witnesses: Iterable[Witness]) -> Basis:
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


def _evidence(witnesses: Sequence[Witness], rule: Rule | None) -> tuple[Evidence, ...]:
    lines: list[Evidence] = []
    for witness in witnesses:
        undecided = all(line.role is not Role.DECISIVE for line in lines)
        source = witness.event.source
        lines.append(Evidence(source.file, source.line, _clipped(source.text), _role(witness, rule, first=undecided)))
    weightiest = sorted(range(len(lines)), key=lambda place: (_RANK[lines[place].role], place))[:_MOST_EVIDENCE]
    return tuple(lines[place] for place in sorted(weightiest))


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + " … [cut]"


def _captured(witnesses: Sequence[Witness], rule: Rule | None) -> Mapping[str, str]:
    """Return what the first decisive line told, completed by later ones."""
    captured: dict[str, str] = {}
    for witness in witnesses:
        for hit in witness.hits:
            if hit.rule is rule:
                captured = {**hit.captured, **captured}
    return captured


def _identity(group: Group, witnesses: Sequence[Witness]) -> str:
    """Return the same id for the same failure, however often and in whatever company it is read."""
    name = min(group.bases or group.loops, default="") or min(group.tasks, default="") or witnesses[0].event.text
    when = group.span.first or witnesses[0].event.source.line
    return hashlib.sha256(f"{name}|{when}".encode()).hexdigest()[:12]


def _first_task(group: Group) -> str | None:
    return min(group.tasks, key=lambda task: (len(task), task), default=None)


def _names(text: str, name: str) -> bool:
    """Tell whether `name` stands in `text` as a whole: web1 is not web11."""
    start = text.find(name)
    while start >= 0:
        around = text[start - 1 : start] + text[start + len(name) : start + len(name) + 1]
        if not any(letter.isalnum() or letter in "_-" for letter in around):
            return True
        start = text.find(name, start + 1)
    return False


def _heaviest(weights: Iterable[Mapping[Cause, float]]) -> dict[Cause, float]:
    result: dict[Cause, float] = {}
    for mapping in weights:
        for cause, weight in mapping.items():
            result[cause] = max(weight, result.get(cause, 0.0))
    return result


def _undetermined(stage: Stage | None, first: str) -> str:
    when = f" {STAGE_IN_WORDS[stage]}" if stage else ""
    return (
        f"A copy failed{when}, but none of the lines that were read names the cause. "
        f"Read the logs of the other host and the kernel at {first} before the network is blamed or a retry is started."
    )


def _unreadable(checks: Iterable[Check], witnesses: Iterable[Witness]) -> tuple[str, ...]:
    sides = {str(witness.event.source.side) for witness in witnesses}
    return tuple(dict.fromkeys(check.unreadable for check in checks if check.unreadable and check.read_by not in sides))


def _next_checks(
    checks: Iterable[Check], rule: Rule | None, values: Mapping[str, str], facts: Facts
) -> Iterable[NextCheck]:
    for check in checks:
        yield NextCheck(check.what, fill_quoted(check.command_for(facts), values), check.where)
    for advice in rule.next_checks if rule else ():
        yield NextCheck(advice.what, fill_quoted(advice.command, values), advice.where)
