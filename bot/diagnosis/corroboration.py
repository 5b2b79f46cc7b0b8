"""Weighs what was measured against what the lines say: it may confirm, refute, or decide between causes they allow.

A measurement never invents a cause that no line and no alternative allows. And it speaks of its own moment: a link that
is clean an hour after the failure may have been anything during it, so the further away it was taken the less it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.diagnosis.causes import TRANSPORT, TRANSPORT_CEILING, Basis, Cause
from bot.diagnosis.group import Group, Span
from bot.diagnosis.measurements import Measurement, Says
from bot.diagnosis.records import dataclass
from bot.diagnosis.rules import Catalogue, Rule
from bot.diagnosis.weighing import Finding, alternatives

_CONFIRMED = 0.8  # what a measurement carries that was taken at the time and of which nothing else is known
_REFUTED = 0.7
_DECISIVE = 0.4  # less than this names no cause where the lines name none
_SUREST = TRANSPORT_CEILING[Basis.MEASURED]
_HARDLY = 0.2
_AGES = ((timedelta(minutes=15), 1.0), (timedelta(hours=2), 0.5))  # how far from the failure, and what is left
_UNDATED = 0.5
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The cause after everything was weighed. `confirming`: what showed it; `rule`: where to read of its remedies.

    `refuting`: what speaks against causes; not against this one if something showed it, for then nothing rules it out.

    `overturned`: it is not the cause that the lines name first, or they name none.
    """

    cause: Cause
    confidence: float
    basis: Basis
    rule: Rule | None
    others: Mapping[Cause, float]
    confirming: tuple[Measurement, ...] = ()
    refuting: tuple[Measurement, ...] = ()
    overturned: bool = False


def conclude(
    group: Group, finding: Finding | None, basis: Basis, catalogue: Catalogue, measured: Sequence[Measurement]
) -> Conclusion:
    """Weigh the finding and what else the lines allow against what was measured."""
    named = finding.rule.cause if finding else Cause.UNDETERMINED
    before = finding.confidence if finding else 0.0
    others = {other.cause: other.confidence for other in alternatives(group, finding, catalogue)}
    if not measured:
        return Conclusion(named, before, basis, finding.rule if finding else None, others)
    allowed = {**_allowed(group, finding, catalogue), **others, **({named: before} if finding else {})}
    weights = {cause: _weighed(cause, weight, measured, group.span, alone=finding is None)
               for cause, weight in allowed.items()}  # fmt: skip
    confirmed = {cause for cause in weights if _strongest(cause, Says.CONFIRMS, measured, group.span)}
    winner = max(confirmed, key=lambda cause: (weights[cause], cause is named, cause), default=named)
    if winner is not named and weights[winner] <= max(weights.get(named, 0.0), _DECISIVE):
        winner = named
    left = {cause: weights[cause] for cause in {*others, *confirmed, named} if cause in weights and cause is not winner}
    confirming = _speaking(winner, Says.CONFIRMS, measured)
    spoken = confirming and winner in confirmed
    # What a look did not see while another one saw it is not ruled out: nobody reads both in one verdict.
    excluded = allowed.keys() - ({winner} if spoken else set())
    return Conclusion(
        cause=winner,
        confidence=round(max(weights[winner], *left.values(), 0.0) if winner in weights else 0.0, 2),
        basis=_strongest_basis(basis, confirming) if spoken else basis,
        rule=(finding.rule if finding else None) if winner is named else _rule_of(winner, group, catalogue),
        others=left,
        confirming=confirming,
        refuting=tuple(one for one in measured if one not in confirming and _refutes_any(one, excluded)),
        overturned=winner is not named,
    )


def spoken_at(measurement: Measurement, span: Span) -> str:
    """Its sentence with the moment it was taken at, and what that means when it was far from the failure."""
    where = f" ({measurement.where})" if measurement.where else ""
    said = f"{measurement.text.rstrip('.')}{where}"
    if measurement.at is None or span.first is None or span.last is None:
        return f"{said}."
    apart, words = _apart(measurement.at, span.first, span.last)
    caveat = ""
    if measurement.basis is Basis.MEASURED and _freshness(apart) < 1:
        caveat = ": what it was like at the failure, this tells less surely"
    return f"{said}; {words}{caveat}."


def _weighed(cause: Cause, weight: float, measured: Sequence[Measurement], span: Span, *, alone: bool) -> float:
    """Return how sure a cause is. `alone`: the lines only allow it, so the measurement speaks for itself."""
    # Lines that name no cause get one from a probe alone, never from what was worked out from those very lines.
    confirming = [one for one in measured if one.basis is Basis.MEASURED] if alone else measured
    shown = _CONFIRMED * _strongest(cause, Says.CONFIRMS, confirming, span)
    refuted = _REFUTED * _strongest(cause, Says.REFUTES, measured, span)
    surer = max(weight, shown) if alone else 1 - (1 - weight) * (1 - shown)
    basis = _strongest_basis(Basis.LOG, _speaking(cause, Says.CONFIRMS, measured))
    ceiling = TRANSPORT_CEILING[basis] if cause in TRANSPORT else _SUREST
    return round(max(min(surer, ceiling), weight) * (1 - refuted), 2)


def _strongest(cause: Cause, says: Says, measured: Iterable[Measurement], span: Span) -> float:
    """Looks at one thing are not independent: the one that says the most counts, the others do not add to it."""
    return max((one.weight * _age_weight(one, span) for one in _speaking(cause, says, measured)), default=0.0)


def _speaking(cause: Cause, says: Says, measured: Iterable[Measurement]) -> tuple[Measurement, ...]:
    return tuple(one for one in measured if one.says_of(cause) is says)


def _refutes_any(one: Measurement, causes: Iterable[Cause]) -> bool:
    return any(one.says_of(cause) is Says.REFUTES for cause in causes)


def _strongest_basis(basis: Basis, confirming: Iterable[Measurement]) -> Basis:
    order = (Basis.LOG, Basis.BOTH_ENDS, Basis.MEASURED)
    return max((basis, *(one.basis for one in confirming)), key=order.index)


def _age_weight(one: Measurement, span: Span) -> float:
    if one.basis is not Basis.MEASURED:  # worked out from the failure's own times
        return 1.0
    if one.at is None or span.first is None or span.last is None:
        return _UNDATED
    return _freshness(_apart(one.at, span.first, span.last)[0])


def _freshness(apart: timedelta) -> float:
    return next((weight for bound, weight in _AGES if apart <= bound), _HARDLY)


def _apart(at: datetime, first: datetime, last: datetime) -> tuple[timedelta, str]:
    if at > last:
        return at - last, f"measured {_in_words(at - last)} after the failure"
    if at < first:
        return first - at, f"measured {_in_words(first - at)} before it failed"
    return timedelta(), "measured while it failed"


def _in_words(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR} h" if seconds < 2 * _DAY else f"{seconds // _DAY} days"


def _allowed(group: Group, finding: Finding | None, catalogue: Catalogue) -> dict[Cause, float]:
    """Return what roots allow that could explain lines which name no cause: only a measurement may lift it."""
    if finding:
        return {}
    roots = (root for name in group.rules if not catalogue.rules[name].catch_all for root in catalogue.explaining(name))
    return {cause: 0.0 for root in roots for cause in (root.cause, *root.alternatives)}


def _rule_of(cause: Cause, group: Group, catalogue: Catalogue) -> Rule | None:
    """Return the rule of a cause that fits these lines best, for its remedies; its own words are not of these lines."""
    rules = [rule for rule in catalogue.rules.values() if rule.cause is cause and rule.workarounds]
    return max(rules, key=lambda rule: (len(rule.explains & group.rules.keys()), rule.id), default=None)
