"""The catalogue: what to look for in a line, and what it means. Rules are data, in `rules/*.toml`.

This module reads, fast, rules that are known to be well-formed. Whether a file is, is judged in `rulefile.py`, which
also documents every key; the shipped files are judged by the test suite, an operator's own at load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from bot.diagnosis.causes import Cause, Role, Session, Stage
from bot.diagnosis.conditions import Condition, parse_condition
from bot.diagnosis.event import Event, LogKind
from bot.diagnosis.needles import Needles
from bot.diagnosis.patterns import LiteralSet, compiled
from bot.diagnosis.records import dataclass
from bot.diagnosis.shelf import tables

FOLDER = Path(__file__).parent / "rules"
_ALL_LOGS = frozenset(LogKind)


class Status(StrEnum):
    """`trial` rules count like `stable` ones, but owe a recorded case."""

    STABLE = "stable"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to look at next: a sentence, a command or nothing, and where to run it."""

    what: str
    command: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; the meaning of each field is told in `rulefile.RuleFile`."""

    id: str
    title: str
    status: Status
    role: Role
    logs: frozenset[LogKind]
    stage: Stage | None
    needles: tuple[str, ...]
    match: tuple[str, ...]
    when: tuple[Condition, ...]
    cause: Cause
    confidence: float
    explains: frozenset[str]
    contradicted_by: frozenset[str]
    needs: frozenset[str]
    session: Session | None
    confirm_by: tuple[str, ...]
    workarounds: tuple[str, ...]
    links: tuple[str, ...]
    alternatives: Mapping[Cause, float]
    explanation: str
    known: tuple[str, ...]
    ruled_out: tuple[str, ...]
    next_checks: tuple[Advice, ...]
    catch_all: bool
    host_wide: bool
    samples: tuple[str, ...]
    near_misses: tuple[str, ...]

    def read(self, text: str) -> dict[str, str] | None:
        """Return what the rule captured of `text`, or None where it does not fit."""
        return self.look(text) if any(needle in text for needle in self.needles) else None

    def look(self, text: str) -> dict[str, str] | None:
        """Return the same of a text that is known to hold a needle of this rule."""
        if not self.match:
            return {}
        found = next((hit for pattern in self.match if (hit := compiled(pattern).search(text))), None)
        if found is None:
            return None
        captured = {name: value for name, value in found.groupdict().items() if value is not None}
        return captured if all(condition.holds(captured) for condition in self.when) else None


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fits a line, with what it captured there."""

    rule: Rule
    captured: Mapping[str, str]


class Catalogue:
    """All rules together, with one automaton over all their needles."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in rules}
        self._owners: dict[str, list[int]] = {}  # needle to the places of its rules
        for place, rule in enumerate(self.rules.values()):
            for needle in rule.needles:
                self._owners.setdefault(needle, []).append(place)
        self.needles = Needles(self._owners)

    def read(self, event: Event) -> tuple[Hit, ...]:
        """Return every rule that fits; one that names what happened spares the line the catch-alls."""
        kind = event.kind
        hits = [
            Hit(rule, captured)
            for rule in self._candidates(event.text)
            if (kind is None or kind in rule.logs) and (captured := rule.look(event.text)) is not None
        ]
        named = tuple(hit for hit in hits if not hit.rule.catch_all)
        telling = any(hit.rule.role is not Role.CONTEXT for hit in named)  # whose copy it was is not what happened
        return named if telling else tuple(hits)

    def _candidates(self, text: str) -> Iterator[Rule]:
        """Yield the rules of which the text holds a needle, in the order of the catalogue."""
        places = {place for needle in self._literals.held_by(text) for place in self._places[needle]}
        return (self._ordered[place] for place in sorted(places))

    @cached_property
    def _literals(self) -> LiteralSet:
        return LiteralSet(self._owners)

    @cached_property
    def _places(self) -> list[list[int]]:
        return list(self._owners.values())

    @cached_property
    def _ordered(self) -> list[Rule]:
        return list(self.rules.values())

    def explaining(self, rule_id: str) -> list[Rule]:
        return [rule for rule in self.rules.values() if rule_id in rule.explains]


def read_rule(raw: Mapping[str, Any]) -> Rule:
    """Turn the contents of a well-formed rule file into a rule."""
    return Rule(
        id=raw["id"],
        title=raw["title"],
        status=Status(raw["status"]),
        role=Role(raw.get("role", Role.DECISIVE)),
        logs=frozenset(map(LogKind, raw["logs"])) if "logs" in raw else _ALL_LOGS,
        stage=Stage(raw["stage"]) if "stage" in raw else None,
        needles=tuple(raw["needles"]),
        match=tuple(raw.get("match", ())),
        when=tuple(map(parse_condition, raw.get("when", ()))),
        cause=Cause(raw.get("cause", Cause.UNDETERMINED)),
        confidence=raw.get("confidence", 0.0),
        explains=frozenset(raw.get("explains", ())),
        contradicted_by=frozenset(raw.get("contradicted_by", ())),
        needs=frozenset(raw.get("needs", ())),
        session=Session(raw["session"]) if "session" in raw else None,
        confirm_by=tuple(raw.get("confirm_by", ())),
        workarounds=tuple(raw.get("workarounds", ())),
        links=tuple(raw.get("links", ())),
        alternatives={Cause(cause): confidence for cause, confidence in raw.get("alternatives", {}).items()},
        explanation=raw.get("explanation", ""),
        known=tuple(raw.get("known", ())),
        ruled_out=tuple(raw.get("ruled_out", ())),
        next_checks=tuple(Advice(**advice) for advice in raw.get("next_checks", ())),
        catch_all=raw.get("catch_all", False),
        host_wide=raw.get("host_wide", False),
        samples=tuple(sample["text"] for sample in raw.get("samples", ())),
        near_misses=tuple(miss["text"] for miss in raw.get("near_misses", ())),
    )


def rule_files(folder: Path = FOLDER) -> list[Path]:
    return sorted(folder.glob("*.toml"))


def load_catalogue(extra: Sequence[Path] = ()) -> Catalogue:
    """Load the shipped rules and an operator's own files; raise UserError with every mistake in the latter."""
    raw = tables(rule_files())
    if extra:
        from bot.diagnosis.rulefile import require_sound  # noqa: PLC0415 - pydantic costs more than a small log does

        raw += require_sound(extra, beside=raw)
    return Catalogue(map(read_rule, raw))
