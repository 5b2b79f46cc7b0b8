"""The rules as a list: for a terminal, for programs, and as the page that documents every cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bot.diagnosis.causes import CAUSE_IN_WORDS, Cause, Role
from bot.diagnosis.event import LogKind
from bot.diagnosis.printable import printable
from bot.diagnosis.report.markdown import escaped
from bot.diagnosis.report.phrases import ROLE_IN_WORDS, percent
from bot.diagnosis.rules import Rule

REFRESH = "coldmigrate rules list --format markdown --output docs/causes.md"
_HEADS = ("rule", "says", "cause", "stage", "logs", "status")


def said(rule: Rule) -> str:
    """Return the cause that a rule names or, where it names none, what it is instead."""
    return str(rule.cause if rule.role is Role.DECISIVE else rule.role)


def logs_of(rule: Rule) -> str:
    return "any" if rule.logs >= frozenset(LogKind) else ", ".join(sorted(rule.logs))


def rows(rules: Iterable[Rule], *, width: int | None = None) -> Iterator[str]:
    """Yield a table whose titles are cut where the terminal ends."""
    cells = [(r.id, r.title, said(r), str(r.stage or "-"), logs_of(r), str(r.status)) for r in rules]
    table = [_HEADS, *(tuple(map(printable, row)) for row in cells)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADS))]
    if width is not None:
        spare = width - sum(widths) - 2 * (len(widths) - 1)
        widths[1] = max(widths[1] + min(spare, 0), 20)
        widths[4] = min(widths[4], 24)
    for row in table:
        yield "  ".join(_fitted(cell, room) for cell, room in zip(row, widths, strict=True)).rstrip()


def as_json(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Return what programs may want to know of each rule."""
    return [
        {
            "id": rule.id,
            "title": rule.title,
            "role": rule.role.value,
            "cause": rule.cause.value if rule.role is Role.DECISIVE else None,
            "confidence": rule.confidence if rule.role is Role.DECISIVE else None,
            "stage": rule.stage.value if rule.stage else None,
            "logs": sorted(rule.logs),
            "status": rule.status.value,
            "needles": list(rule.needles),
            "explains": sorted(rule.explains),
            "contradicted_by": sorted(rule.contradicted_by),
            "confirm_by": list(rule.confirm_by),
            "workarounds": list(rule.workarounds),
            "links": list(rule.links),
        }
        for rule in rules
    ]


def page(rules: Iterable[Rule]) -> str:
    """Return the catalogue: every cause with the rules that name it, then the rules that name none."""
    return "\n".join(_page(list(rules))) + "\n"


def _page(rules: Sequence[Rule]) -> Iterator[str]:
    yield from (
        "# Causes",
        "",
        f"Generated from the rules by `{REFRESH}`; a test says when it lags. How a cause is chosen:",
        "[diagnosis.md](diagnosis.md). How to add a rule: [writing-rules.md](writing-rules.md).",
        "",
        "| cause | means | rules |",
        "|---|---|---|",
    )
    for cause in Cause:
        named = f"[`{cause}`](#{cause})" if _naming(rules, cause) else f"`{cause}`"
        yield f"| {named} | {CAUSE_IN_WORDS[cause]} | {len(_naming(rules, cause)) or ''} |"
    for cause in Cause:
        if naming := _naming(rules, cause):
            yield from ("", f"## {cause}", "", _sentence(CAUSE_IN_WORDS[cause]))
            for rule in naming:
                yield from _decisive(rule)
    yield from ("", "## Lines that name no cause", "")
    yield "They belong to a failure or tell something beside it. A cause that explains them takes them over."
    for role in (Role.SYMPTOM, Role.UNWINDING, Role.CONTEXT):
        yield from (
            "",
            f"### {role}: {ROLE_IN_WORDS[role]}",
            "",
            "| rule | says | logs | status |",
            "|---|---|---|---|",
        )
        yield from (
            f"| `{rule.id}` | {escaped(rule.title)} | {logs_of(rule)} | {rule.status} |"
            for rule in rules
            if rule.role is role
        )


def _decisive(rule: Rule) -> Iterator[str]:
    yield from ("", f"### {rule.id}", "", f"{escaped(_sentence(rule.title))}")
    yield from ("", "| | |", "|---|---|")
    stage = f"{rule.stage}" if rule.stage else "any"
    yield f"| stage, logs, status | {stage}; {logs_of(rule)}; {rule.status} |"
    yield f"| confidence alone | {percent(rule.confidence)} |"
    if rule.explains:
        yield f"| explains | {_names(sorted(rule.explains))} |"
    if rule.contradicted_by:
        yield f"| yields to | {_names(sorted(rule.contradicted_by))} |"
    if rule.alternatives:
        others = ", ".join(f"`{cause}` ({percent(share)})" for cause, share in rule.alternatives.items())
        yield f"| could also be | {others} |"
    if rule.confirm_by:
        yield f"| confirmed by | {_names(rule.confirm_by)} |"
    if rule.workarounds:
        yield f"| ways round | {_names(rule.workarounds)} |"
    for link in rule.links:
        yield f"| see | {f'<{link}>' if link.startswith('https://') else escaped(link)} |"


def _naming(rules: Iterable[Rule], cause: Cause) -> list[Rule]:
    return [rule for rule in rules if rule.role is Role.DECISIVE and rule.cause is cause]


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _fitted(text: str, room: int) -> str:
    return text.ljust(room) if len(text) <= room else text[: room - 1] + "…"
