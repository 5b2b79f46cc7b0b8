"""The closed list of things a rule may ask in `when`. Not code: `FIELD OPERATOR NUMBER`, nothing else.

Fields: `bytes` and `port` (groups of the rule's own pattern), `errno` (a group of that name, or decoded from `code`),
and `code`, a number of the disk library. Decimal and 0x numbers are read.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from bot.diagnosis.records import dataclass

OPERATORS: Mapping[str, Callable[[int, int], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
# Which groups of a pattern a field can be read from, the first one present wins.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "bytes": ("bytes",),
    "port": ("port",),
    "code": ("code",),
    "errno": ("errno", "code"),
}
# Low bytes of disk library numbers that carry an errno in their upper 16 bits: 0x09 is the library's own (393225 is 6),
# 0x02 the object library's (327682 is 5).
_SYSTEM_ERRORS = frozenset({0x09, 0x02})
_WORDS = 3


class ConditionError(ValueError):
    """Not one of the listed predicates; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One predicate over what a pattern captured. What was not captured makes it false."""

    field: str
    operator: str
    number: int

    def holds(self, captured: Mapping[str, str]) -> bool:
        value = _read(self.field, captured)
        return value is not None and OPERATORS[self.operator](value, self.number)


def parse_condition(text: str) -> Condition:
    words = text.split()
    if len(words) == _WORDS and words[0] in FIELDS and words[1] in OPERATORS:
        number = _number(words[2])
        if number is not None:
            return Condition(words[0], words[1], number)
    raise ConditionError(
        f"{text!r} is not one of the known conditions: FIELD OPERATOR NUMBER, with a field of {', '.join(FIELDS)} "
        f"and an operator of {' '.join(OPERATORS)}, as in 'bytes > 4096'"
    )


def disklib_errno(code: int) -> int | None:
    """Return the operating system's error inside a disk library number: 393225 is 6, 1048585 is 16, 327682 is 5."""
    return code >> 16 if code & 0xFF in _SYSTEM_ERRORS and code >> 16 else None


def _read(field: str, captured: Mapping[str, str]) -> int | None:
    group = next((name for name in FIELDS[field] if name in captured), None)
    value = _number(captured[group]) if group else None
    return disklib_errno(value) if value is not None and (field, group) == ("errno", "code") else value


def _number(text: str) -> int | None:
    try:
        return int(text, 0 if text.lower().startswith("0x") else 10)
    except ValueError:
        return None
