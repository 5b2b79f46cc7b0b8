"""The engine, the recorded cases, and the seed in pieces."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.diagnosis.engine import Engine, load_engine
from bot.diagnosis.event import SourceLine
from bot.diagnosis.verdict import Report

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """A published excerpt, kept under the rule that must know it."""

    rule: str
    log: Path
    cause: str


@cache
def recorded_cases() -> list[Case]:
    found = []
    for expectation in sorted(CASES.glob("*/*/expect.toml")):
        (log,) = expectation.parent.glob("*.log")
        cause = tomllib.loads(expectation.read_text(encoding="utf-8"))["cause"]
        found.append(Case(expectation.parent.parent.name, log, cause))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    cases = recorded_cases()
    if "failure_case" in metafunc.fixturenames:
        failures = [case for case in cases if case.rule != "healthy"]
        metafunc.parametrize("failure_case", failures, ids=lambda case: case.log.parent.name)
    if "healthy_case" in metafunc.fixturenames:
        metafunc.parametrize(
            "healthy_case", [case for case in cases if case.rule == "healthy"], ids=lambda case: case.log.parent.name
        )


@pytest.fixture(scope="session")
def engine() -> Engine:
    return load_engine()


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    return recorded_cases()


@pytest.fixture(scope="session")
def seed_file() -> Path:
    return CASES / "nfc-session-died-mid-write/seed-vpxa-packet-loss-wan-2012/vpxa.log"


@pytest.fixture(scope="session")
def seed(seed_file: Path) -> tuple[str, ...]:
    return tuple(seed_file.read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="session")
def diagnose(engine: Engine) -> Callable[..., Report]:
    """Diagnose texts as the lines of one file."""

    def run(
        lines: Iterable[str], *, file: str = "vpxa.log", host: str | None = None, side: Any = None, **options: Any
    ) -> Report:
        numbered = [SourceLine(file, number, text, host, side) for number, text in enumerate(lines, 1)]
        return engine.diagnose_lines(numbered, **options)

    return run


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    path = Path(__file__).parents[2] / "bot/diagnosis/report.schema.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded
