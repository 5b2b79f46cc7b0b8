"""What a rule must show beyond being well-formed: silence on ordinary lines, rare needles, and a recorded case.

The ordinary lines lie in `healthy/*.txt`. Cases lie in folders `<rule>/<name>/` with the log and an `expect.toml`.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.diagnosis.causes import Role
from bot.diagnosis.engine import Engine
from bot.diagnosis.rulefile import Mistake
from bot.diagnosis.rules import Rule, Status
from bot.diagnosis.verdict import Report

FOLDER = Path(__file__).parent / "healthy"
GREEDY = 0.005  # a needle in more of the ordinary lines than this makes every healthy log slow to read
GREEDY_CONTEXT = 0.05  # lines that say what happened besides are ordinary by nature
NO_CASES_OF = "healthy"  # a folder of this name among the cases holds logs on which nothing is wrong
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a needle is in ordinary lines, with one of them."""

    needle: str
    share: float
    example: str


@dataclass(frozen=True, slots=True)
class Case:
    """A recorded failure: its logs, the rule that must know it, and the cause that must be told."""

    rule: str
    folder: Path
    cause: str | None

    @property
    def logs(self) -> list[Path]:
        return [path for path in sorted(self.folder.iterdir()) if path.suffix != ".toml"]


@cache
def healthy_lines() -> tuple[str, ...]:
    """Return ordinary lines of all generations, published and invented."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.txt")))
    return tuple(line for text in texts for line in text.splitlines() if line and not line.startswith("# "))


@cache
def _healthy_text() -> str:
    """Return them as one text: most needles are nowhere in it, and that is seen at once."""
    return "\n".join(healthy_lines())


def rates(rule: Rule) -> Iterator[Rate]:
    """Measure each needle of a rule on the ordinary lines."""
    lines = healthy_lines()
    for needle in rule.needles:
        hits = [line for line in lines if needle in line] if needle in _healthy_text() else []
        yield Rate(needle, len(hits) / len(lines), hits[0] if hits else "")


def disturbances(file: Path, rule: Rule) -> Iterator[Mistake]:
    """Yield what makes the rule a nuisance on healthy logs."""
    most = GREEDY_CONTEXT if rule.role is Role.CONTEXT else GREEDY
    for rate in rates(rule):
        if rate.share > most:
            yield Mistake(
                file,
                "needles",
                f"{rate.needle!r} is in {rate.share:.1%} of ordinary lines, and {most:.1%} is the most that may be: "
                f"choose a longer or rarer string. It is in: {rate.example[:_SHOWN]}",
            )
    if rule.role is not Role.CONTEXT and any(needle in _healthy_text() for needle in rule.needles):
        loud = next((line for line in healthy_lines() if rule.read(line) is not None), None)
        if loud is not None:
            yield Mistake(file, "match", f"fits a line of a healthy log: {loud[:_SHOWN]}")


def recorded(folders: Iterable[Path]) -> list[Case]:
    """Return the cases in `folders`, each named after the rule it stands for."""
    found = []
    for folder in folders:
        for expectation in sorted(folder.glob("*/*/expect.toml")):
            raw = tomllib.loads(expectation.read_text(encoding="utf-8"))
            rule = expectation.parent.parent.name
            found.append(Case(rule, expectation.parent, None if rule == NO_CASES_OF else raw.get("cause")))
    return found


def untold(engine: Engine, cases: Sequence[Case]) -> Iterator[Mistake]:
    """Yield every case that the engine tells otherwise than it was recorded."""
    for case in cases:
        report = engine.diagnose_paths(case.logs)
        wrong = _wrong(case, report)
        if wrong:
            yield Mistake(case.folder, "", wrong)


def owing(engine: Engine, files: Mapping[Path, str], cases: Sequence[Case]) -> Iterator[Mistake]:
    """Yield every stable rule of `files` that fires in no recorded case."""
    fired = _fired(engine, cases)
    for file, name in files.items():
        if engine.catalogue.rules[name].status is Status.STABLE and not fired[name]:
            yield Mistake(
                file,
                "status",
                f"a stable rule needs a recorded case, a folder cases/{name}/<name>/ with the log and an expect.toml "
                '(source = "...", cause = "..."); until there is one, write status = "trial"',
            )


def _wrong(case: Case, report: Report) -> str:
    told = max(report.incidents, key=lambda incident: incident.confidence, default=None)
    if report.errors:
        return f"a log of this case cannot be read: {report.errors[0].reason}"
    if case.cause is None:
        return f"a healthy log, and {told.cause} is told of it" if told else ""
    if told is None:
        return f"{case.cause} was recorded, and nothing is found"
    return "" if told.cause == case.cause else f"{case.cause} was recorded, and {told.cause} is told"


def _fired(engine: Engine, cases: Sequence[Case]) -> Counter[str]:
    rules = engine.catalogue.rules.values()
    lines = (
        line
        for case in cases
        for log in case.logs
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if engine.is_candidate(line)
    )
    return Counter(rule.id for line in lines for rule in rules if rule.read(line) is not None)
