"""Weighs the rules that fit one group of lines against each other: which cause explains it best, and how surely.

The only place where confidences are reckoned. A log alone never makes a transport cause surer than the ceiling in
`causes.py`, and lines that name no cause have no finding: what may be behind them are alternatives, never a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.diagnosis.causes import TRANSPORT, TRANSPORT_CEILING, Basis, Cause, Role
from bot.diagnosis.group import Group, Witness
from bot.diagnosis.records import dataclass
from bot.diagnosis.rules import Catalogue, Rule
from bot.diagnosis.verdict import Alternative

_CORROBORATED = 0.05
_CONTRADICTED = 0.5
_GUESS = 0.3  # what a cause that would explain all symptoms gets, when no line names it
_EXPLAINED = 0.5
_SILENT = 0.5  # causes other than transport usually leave a line that names them; here it is missing


@dataclass(frozen=True, slots=True)
class Finding:
    """The rule that explains a group best, and how sure it is; `others` are the roots that it won against."""

    rule: Rule
    confidence: float
    others: Mapping[Cause, float]


def weigh(group: Group, witnesses: Sequence[Witness], basis: Basis, catalogue: Catalogue) -> Finding | None:
    """Return the rule that explains the lines best, of equals the one whose line came first; None if none does."""
    roots = [rule for name in group.rules if (rule := catalogue.rules[name]).role is Role.DECISIVE]
    explained = {name for rule in roots for name in rule.explains}
    weights = {rule.id: _score(rule, group, basis) for rule in roots}
    scores = {name: score for name, score in weights.items() if name not in explained}
    if not scores:
        return None
    places = {hit.rule.id: place for place, witness in reversed(list(enumerate(witnesses))) for hit in witness.hits}
    best = min(scores, key=lambda name: (-scores[name], places.get(name, len(witnesses)), name))
    # What the best rule explains away stays possible: less so, but not unheard of.
    others = _heaviest(
        {catalogue.rules[name].cause: score if name in scores else score * _EXPLAINED}
        for name, score in weights.items()
        if name != best
    )
    return Finding(catalogue.rules[best], scores[best], others)


def alternatives(group: Group, finding: Finding | None, catalogue: Catalogue) -> tuple[Alternative, ...]:
    """Return what else the same lines allow, the likelier first and none likelier than the verdict."""
    if finding:
        weights = _heaviest([finding.rule.alternatives, finding.others])
        weights.pop(finding.rule.cause, None)
        weights = {cause: min(weight, finding.confidence) for cause, weight in weights.items()}
    else:
        weights = _guesses(group, catalogue)
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Alternative(cause, round(confidence, 2)) for cause, confidence in ordered if confidence > 0)


def _guesses(group: Group, catalogue: Catalogue) -> dict[Cause, float]:
    symptoms = [rule for name in group.rules if not (rule := catalogue.rules[name]).catch_all]
    explaining: dict[str, int] = {}
    for symptom in symptoms:
        for root in catalogue.explaining(symptom.id):
            explaining[root.id] = explaining.get(root.id, 0) + 1
    guesses = (_guess(catalogue.rules[name].cause, count / len(symptoms)) for name, count in explaining.items())
    return _heaviest([*guesses, *(symptom.alternatives for symptom in symptoms)])


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


def _heaviest(weights: Iterable[Mapping[Cause, float]]) -> dict[Cause, float]:
    result: dict[Cause, float] = {}
    for mapping in weights:
        for cause, weight in mapping.items():
            result[cause] = max(weight, result.get(cause, 0.0))
    return result
