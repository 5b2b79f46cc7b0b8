"""Says what a group of lines means: the cause, how sure that is, what it rests on, and what to do next.

Rules are weighed in `weighing.py`, what was measured in `corroboration.py`; here a verdict is put together and told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bot.diagnosis.causes import CAUSE_IN_WORDS, STAGE_IN_WORDS, Role, Session, Stage
from bot.diagnosis.checks import Check, load_checks, path_values
from bot.diagnosis.corroboration import Conclusion, conclude, spoken_at
from bot.diagnosis.exhibits import basis_of, captured_by, exhibits
from bot.diagnosis.facts import Facts
from bot.diagnosis.group import Group, Witness
from bot.diagnosis.measurements import Measurement
from bot.diagnosis.numbers import numbers_in
from bot.diagnosis.opid import is_ours
from bot.diagnosis.patterns import compile_pattern
from bot.diagnosis.rules import Catalogue, Rule
from bot.diagnosis.template import fill, fill_quoted
from bot.diagnosis.verdict import Alternative, Evidence, Incident, Looked, MatchKind, NextCheck, Number, Workaround
from bot.diagnosis.weighing import weigh
from bot.diagnosis.workarounds import load_workarounds, values_of

_UNDETERMINED_CHECKS = ("log.hostd.destination", "log.vmkernel", "event.host_disconnected")
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


class Judge:
    """Judges groups for one caller, who may know the migration behind them."""

    def __init__(self, catalogue: Catalogue, facts: Facts) -> None:
        self._catalogue = catalogue
        self._facts = facts
        self._ways: dict[str, tuple[Workaround, ...]] = {}

    def incident(self, group: Group, match: MatchKind) -> Incident:
        """Return the verdict on one group."""
        witnesses = group.witnesses()
        basis = basis_of(witnesses)
        finding = weigh(group, witnesses, basis, self._catalogue)
        rule = finding.rule if finding else None
        end = conclude(group, finding, basis, self._catalogue, self._facts.measured)
        evidence = exhibits(witnesses, rule)
        captured = captured_by(witnesses, rule)
        values = self._values(captured, group.span.first)
        stage = rule.stage if rule else self._stage(witnesses)
        checks = [load_checks()[name] for name in self._checks(group, end.rule)]
        prose = {**_PROSE, **values}
        return Incident(
            id=_identity(group, witnesses),
            cause=end.cause,
            confidence=end.confidence,
            basis=end.basis,
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
            explanation=_explanation(end, rule, stage, prose),
            known=tuple(dict.fromkeys((*self._shown(end, group), *self._known(group, rule, witnesses, prose)))),
            ruled_out=tuple(dict.fromkeys((*_ruled_out(end, group), *_ruled_out_by(rule, prose)))),
            unreadable=_unreadable(checks, witnesses, self._facts),
            next_checks=tuple(_next_checks(checks, rule, values, self._facts)),
            links=end.rule.links if end.rule else (),
            alternatives=_alternatives(end),
            workarounds=self._workarounds(end.rule),
            session=_session(group, witnesses),
            numbers=_numbers(evidence),
            measured=tuple(Looked(one.check, one.text, one.at, one.where) for one in self._facts.measured),
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
            group.anonymous and any(self._catalogue.rules[name].host_wide for name in group.rules)
        )

    def _stage(self, witnesses: Sequence[Witness]) -> Stage | None:
        stages = (hit.rule.stage for witness in witnesses if not witness.context_only for hit in witness.hits)
        return next((stage for stage in stages if stage), None)

    def _checks(self, group: Group, rule: Rule | None) -> Iterable[str]:
        if rule is not None:
            return rule.confirm_by
        guessed = (
            root.confirm_by
            for name in group.rules
            if not self._catalogue.rules[name].catch_all
            for root in self._catalogue.explaining(name)[:1]
        )
        return dict.fromkeys([*_UNDETERMINED_CHECKS, *(name for names in guessed for name in names)])

    def _known(
        self, group: Group, rule: Rule | None, witnesses: Iterable[Witness], prose: Mapping[str, str]
    ) -> Iterable[str]:
        """Yield what the lines establish: by the rule that decides, and by lines of context."""
        if rule is None:
            yield from self._what_was_read(group)
        for line in rule.known if rule else ():
            yield fill(line, prose)
        for hit in (hit for witness in witnesses for hit in witness.hits if hit.rule.role is Role.CONTEXT):
            for line in hit.rule.known:
                yield fill(line, {**prose, **hit.captured})

    def _shown(self, end: Conclusion, group: Group) -> Iterable[str]:
        """Yield what was measured and refutes nothing, what confirms the verdict first."""
        rest = [one for one in self._facts.measured if one not in end.confirming and one not in end.refuting]
        for one in (*end.confirming, *_newest(rest)):
            yield spoken_at(one, group.span)

    def _what_was_read(self, group: Group) -> Iterable[str]:
        for name, count in group.rules.items():
            yield f"{self._catalogue.rules[name].title}: {count} line{'s' if count > 1 else ''}."

    def _values(self, captured: Mapping[str, str], first: datetime | None) -> dict[str, str]:
        moment = first.strftime("%H:%M:%S UTC on %Y-%m-%d") if first else "an unknown time"
        return {**values_of(self._facts), **path_values(self._facts), **captured, "first": moment}

    def _vm(self, captured: Mapping[str, str], witnesses: Sequence[Witness]) -> str | None:
        if self._facts.vm:
            return self._facts.vm
        path = captured.get("path") or next((path for witness in witnesses if (path := witness.captured("path"))), "")
        found = _VM_FOLDER.match(path)
        return found.groupdict()["vm"] if found else None

    def _workarounds(self, rule: Rule | None) -> tuple[Workaround, ...]:
        """Return the ways round, filled once for each rule: a thousand incidents share them."""
        if rule is None:
            return ()
        if rule.id not in self._ways:
            recipes = load_workarounds()
            self._ways[rule.id] = tuple(recipes[name].fill(self._facts) for name in rule.workarounds)
        return self._ways[rule.id]


def _explanation(end: Conclusion, rule: Rule | None, stage: Stage | None, prose: Mapping[str, str]) -> str:
    if end.overturned:
        return _decided(end, prose["first"])
    return fill(rule.explanation, prose) if rule else _undetermined(stage, prose["first"])


def _decided(end: Conclusion, first: str) -> str:
    """Tell of a cause that the lines allow and a measurement shows; the words of its rule would be of other lines."""
    shown = " ".join(_sentence(one) for one in end.confirming)
    return (
        f"The copy failed at {first}, and its lines allow several causes. What was looked at besides decides for one: "
        f"{CAUSE_IN_WORDS[end.cause]}. {shown}"
    )


def _sentence(one: Measurement) -> str:
    return f"{one.text.rstrip('.')}."


def _ruled_out(end: Conclusion, group: Group) -> Iterable[str]:
    return (spoken_at(one, group.span) for one in _newest(end.refuting))


def _newest(measured: Iterable[Measurement]) -> Iterable[Measurement]:
    """Of several looks that say the same of one thing, the last one."""
    ordered = sorted(measured, key=lambda one: one.at.timestamp() if one.at else 0.0)
    return {(one.check, one.says, one.text.partition(":")[0]): one for one in ordered}.values()


def _ruled_out_by(rule: Rule | None, prose: Mapping[str, str]) -> Iterable[str]:
    return (fill(line, prose) for line in rule.ruled_out) if rule else ()


def _alternatives(end: Conclusion) -> tuple[Alternative, ...]:
    """Return what else is possible, the likelier first and none likelier than the verdict."""
    weights = ((cause, round(weight, 2)) for cause, weight in end.others.items())
    return tuple(Alternative(*one) for one in sorted(weights, key=lambda one: (-one[1], one[0])) if one[1] > 0)


def _session(group: Group, witnesses: Iterable[Witness]) -> Session | None:
    """Return whose copy it was: our own operations are known by their form, others by what lines of context say."""
    if any(is_ours(base) for base in group.bases):
        return Session.MIGRATION
    told = (hit.rule.session for witness in witnesses for hit in witness.hits)
    return next((session for session in told if session), None)


def _numbers(evidence: Iterable[Evidence]) -> tuple[Number, ...]:
    found = (Number(meaning.written, meaning.told) for line in evidence for meaning in numbers_in(line.text))
    return tuple(dict.fromkeys(found))


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


def _undetermined(stage: Stage | None, first: str) -> str:
    when = f" {STAGE_IN_WORDS[stage]}" if stage else ""
    return (
        f"A copy failed{when}, but none of the lines that were read names the cause. "
        f"Read the logs of the other host and the kernel at {first} before the network is blamed or a retry is started."
    )


def _unreadable(checks: Iterable[Check], witnesses: Iterable[Witness], facts: Facts) -> tuple[str, ...]:
    read = facts.read.union(str(witness.event.source.side) for witness in witnesses)
    open_ones = (check for check in checks if check.read_by not in read and check.id not in _carried_out(facts))
    return tuple(dict.fromkeys(check.unreadable for check in open_ones if check.unreadable))


def _carried_out(facts: Facts) -> frozenset[str]:
    return frozenset(one.check for one in facts.measured)


def _next_checks(
    checks: Iterable[Check], rule: Rule | None, values: Mapping[str, str], facts: Facts
) -> Iterable[NextCheck]:
    for check in checks:
        if check.read_by not in facts.read and check.id not in _carried_out(facts):  # else it was done already
            yield NextCheck(check.what, fill_quoted(check.command_for(facts), values), check.where)
    for advice in rule.next_checks if rule else ():
        yield NextCheck(advice.what, fill_quoted(advice.command, values), advice.where)
