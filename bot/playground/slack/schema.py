"""Small building bricks that check JSON and say what is wrong the way Slack says it. They know no Slack names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, and where: `pointer` is a JSON pointer from the root of what was sent."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


Check = Callable[[Any, str], list[Problem]]


def text(*, at_most: int, at_least: int = 1) -> Check:
    """A string of bounded length. Slack counts characters, not bytes."""

    def check(value: Any, at: str) -> list[Problem]:
        if not isinstance(value, str):
            return [Problem(at, "must provide a string")]
        if len(value) < at_least:
            return [Problem(at, f"must be more than {at_least - 1} characters")]
        if len(value) > at_most:
            return [Problem(at, f"must be less than {at_most + 1} characters")]
        return []

    return check


def one_of(*allowed: str) -> Check:
    def check(value: Any, at: str) -> list[Problem]:
        return [] if value in allowed else [Problem(at, f"must be one of: {', '.join(allowed)}")]

    return check


def boolean(value: Any, at: str) -> list[Problem]:
    return [] if isinstance(value, bool) else [Problem(at, "must provide a boolean")]


def number(*, at_least: float, at_most: float) -> Check:
    def check(value: Any, at: str) -> list[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return [Problem(at, "must provide a number")]
        return [] if at_least <= value <= at_most else [Problem(at, f"must be between {at_least} and {at_most}")]

    return check


def anything(_value: Any, _at: str) -> list[Problem]:
    return []


def array(of: Check, *, at_most: int, at_least: int = 1) -> Check:
    def check(value: Any, at: str) -> list[Problem]:
        if not isinstance(value, list):
            return [Problem(at, "must provide an array")]
        if len(value) < at_least:
            return [Problem(at, f"must provide at least {at_least} items")]
        if len(value) > at_most:
            return [Problem(at, f"no more than {at_most} items allowed")]
        return [problem for index, item in enumerate(value) for problem in of(item, f"{at}/{index}")]

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with exactly these fields; `type` is always allowed, because whoever chose this shape has read it."""
    known = {**required, **(optional or {}), "type": anything}

    def check(value: Any, at: str) -> list[Problem]:
        if not isinstance(value, dict):
            return [Problem(at, "must provide an object")]
        problems = [Problem(at, f"missing required field: {name}") for name in required if name not in value]
        for name, item in value.items():
            if name not in known:
                problems.append(Problem(at, f"invalid additional property: {name}"))
            elif item is not None or name in required:
                problems += known[name](item, f"{at}/{name}")
        return problems

    return check


def open_shape(required: Mapping[str, Check]) -> Check:
    """An object with at least these fields; for things whose other fields are not described here."""

    def check(value: Any, at: str) -> list[Problem]:
        if not isinstance(value, dict):
            return [Problem(at, "must provide an object")]
        problems = [Problem(at, f"missing required field: {name}") for name in required if name not in value]
        return problems + [p for name, of in required.items() if name in value for p in of(value[name], f"{at}/{name}")]

    return check


def tagged(kinds: Mapping[str, Check]) -> Check:
    """An object whose `type` chooses the check."""

    def check(value: Any, at: str) -> list[Problem]:
        if not isinstance(value, dict):
            return [Problem(at, "must provide an object")]
        kind = value.get("type")
        if kind is None:
            return [Problem(at, "missing required field: type")]
        if kind not in kinds:
            return [Problem(f"{at}/type", f"unsupported type: {kind}")]
        return kinds[kind](value, at)

    return check


def both(first: Check, second: Check) -> Check:
    """`second` only looks at what `first` found sound, so it may trust the shape."""

    def check(value: Any, at: str) -> list[Problem]:
        return first(value, at) or second(value, at)

    return check
