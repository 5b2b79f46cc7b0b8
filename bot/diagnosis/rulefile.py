"""Judges rule files: every mistake with its file and key, all at once. Loaded only when there is a file to judge."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from bot.diagnosis.causes import Cause, Role, Session, Stage
from bot.diagnosis.checks import load_checks
from bot.diagnosis.conditions import FIELDS, parse_condition
from bot.diagnosis.event import LogKind
from bot.diagnosis.patterns import PatternError, compile_pattern
from bot.diagnosis.rules import Status, read_rule
from bot.diagnosis.workarounds import load_workarounds
from bot.errors import UserError

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Needle = Annotated[str, StringConstraints(min_length=6)]
Sentence = Annotated[str, StringConstraints(min_length=1)]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Strict):
    """A log line as recorded: whole, or from the message on."""

    text: Sentence


class AdviceEntry(_Strict):
    """A next check that no other rule needs; those shared by rules stand in `checks.toml`."""

    what: Sentence
    command: str = ""
    where: str = ""


class RuleFile(_Strict):
    """Schema 1 of a rule file."""

    id: Identifier = Field(description="the name that `explains` and `contradicted_by` of other rules use")
    title: Sentence
    status: Status
    role: Role = Field(Role.DECISIVE, description="decisive: names a cause; symptom, unwinding, context: does not")
    logs: list[LogKind] = Field(
        list(LogKind), min_length=1, description="which programs' logs; an unknown log is always read"
    )
    stage: Stage | None = None
    needles: list[Needle] = Field(min_length=1, description="selective plain strings, one of which the line must hold")
    match: list[str] = Field([], description="RE2 patterns, one of which must fit; none: the needle is enough")
    when: list[str] = Field([], description="predicates over the groups of the pattern, all of which must hold")
    cause: Cause | None = None
    confidence: Probability | None = None
    explains: list[Identifier] = Field([], description="the symptoms and unwinding that this root cause brings about")
    contradicted_by: list[Identifier] = Field([], description="rules whose presence makes this one yield")
    needs: list[Identifier] = Field([], description="counts only beside a line of one of these rules in one incident")
    session: Session | None = Field(None, description="on context rules: whose copy such a line tells of")
    confirm_by: list[str] = Field([], description="names from checks.toml")
    workarounds: list[Identifier] = Field([], description="names from workarounds/")
    links: list[Sentence] = []
    alternatives: dict[Cause, Probability] = Field({}, description="what else looks like this")
    explanation: str = Field(
        "", description="two sentences; {bytes}, {peer}, {port}, {path}, {errno}, {first} are filled"
    )
    known: list[Sentence] = Field([], description="what the lines establish")
    ruled_out: list[Sentence] = Field([], description="what the lines exclude")
    next_checks: list[AdviceEntry] = []
    catch_all: bool = Field(default=False, description="counts only where no other rule knows the line")
    host_wide: bool = Field(default=False, description="hits everything on the host, so it needs no opID to matter")
    samples: list[Line] = Field(min_length=1, description="lines that must fit")
    near_misses: list[Line] = Field(min_length=1, description="lines that look alike and must not fit")

    @field_validator("match")
    @classmethod
    def _compiles(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                compile_pattern(pattern)
            except PatternError as refusal:
                raise ValueError(f"RE2 refuses {pattern!r}: {refusal}") from refusal
        return patterns

    @field_validator("when")
    @classmethod
    def _is_listed(cls, conditions: list[str]) -> list[str]:
        for condition in conditions:
            parse_condition(condition)
        return conditions

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.role is Role.DECISIVE:
            if self.cause in {None, Cause.UNDETERMINED} or not self.confidence or not self.explanation:
                raise ValueError("a decisive rule needs cause, confidence and explanation")
        elif self.cause or self.confidence:
            raise ValueError(f"only a decisive rule names a cause; this one is {self.role}")
        if self.session and self.role is not Role.CONTEXT:
            raise ValueError(f"only a context rule tells whose session it was; this one is {self.role}")
        groups = {group for pattern in self.match for group in compile_pattern(pattern).groupindex}
        for condition in self.when:
            field = parse_condition(condition).field
            if groups.isdisjoint(FIELDS[field]):
                raise ValueError(f"when: {condition!r} needs a group (?P<{'> or (?P<'.join(FIELDS[field])}>) in match")
        return self


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend."""

    file: Path
    key: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.expected}" if self.key else f"{self.file}: {self.expected}"


def check_rule_files(paths: Iterable[Path], *, beside: Sequence[Mapping[str, Any]] = ()) -> list[Mistake]:
    """Return all mistakes in `paths`; names may refer to these files and to the rules in `beside`."""
    return _judge(paths, beside)[1]


def require_sound(paths: Iterable[Path], *, beside: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Return the contents of `paths`, or raise UserError with all mistakes in them."""
    contents, mistakes = _judge(paths, beside)
    if mistakes:
        raise UserError("These rule files cannot be used:\n" + "\n".join(f"  {mistake}" for mistake in mistakes))
    return list(contents.values())


def _judge(
    paths: Iterable[Path], beside: Sequence[Mapping[str, Any]]
) -> tuple[dict[Path, dict[str, Any]], list[Mistake]]:
    contents: dict[Path, dict[str, Any]] = {}
    mistakes: list[Mistake] = []
    for path in paths:
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
            RuleFile.model_validate(raw)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as refusal:
            mistakes.append(Mistake(path, "", f"cannot be read as TOML: {refusal}"))
        except ValidationError as refusal:
            mistakes += (_mistake(path, error) for error in refusal.errors(include_url=False))
        else:
            contents[path] = raw
            mistakes += _untrue_samples(path, raw)
    return contents, mistakes + list(_broken_names(contents, beside))


def _mistake(path: Path, error: Any) -> Mistake:
    key = ".".join(map(str, error["loc"]))
    return Mistake(path, key, error["msg"].removeprefix("Value error, "))


def _untrue_samples(path: Path, raw: Mapping[str, Any]) -> list[Mistake]:
    rule = read_rule(raw)
    wrong = [
        Mistake(path, "samples", f"does not fit its own rule: {text}")
        for text in rule.samples
        if rule.read(text) is None
    ]
    return wrong + [
        Mistake(path, "near_misses", f"fits the rule it should miss: {text}")
        for text in rule.near_misses
        if rule.read(text) is not None
    ]


def _broken_names(contents: Mapping[Path, Mapping[str, Any]], beside: Sequence[Mapping[str, Any]]) -> Iterable[Mistake]:
    taken = {rule["id"] for rule in beside}
    for path, raw in contents.items():
        if raw["id"] in taken:
            yield Mistake(path, "id", f"{raw['id']!r} is taken by another rule")
        taken.add(raw["id"])
    listed = {
        "explains": taken,
        "contradicted_by": taken,
        "needs": taken,
        "confirm_by": set(load_checks()),
        "workarounds": set(load_workarounds()),
    }
    for path, raw in contents.items():
        for key, names in listed.items():
            for name in raw.get(key, ()):
                if name not in names:
                    yield Mistake(path, key, f"{name!r} is not known")
