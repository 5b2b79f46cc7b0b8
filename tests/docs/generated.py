"""What pages show of the code: drawn from the code, so that it cannot lag behind it.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`. A test compares; this writes:

    python -m tests.docs.generated
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bot.cli.verifying import items
from bot.migration.concerns.catalogue import GUARDS
from bot.migration.concerns.guard import Guard
from bot.migration.facts import SiteSpec
from bot.migration.machine import ENDS, STARTED, TRANSITIONS, WORDS, Phase
from bot.migration.request import SiteName, VCenterName
from bot.vsphere.needs import NEEDS
from bot.vsphere.roles import Extent, grants_of, roles_of
from tests.model.page import model

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = {
    ROOT / "docs/states.md": ("diagram", "events", "model", "states"),
    ROOT / "docs/concerns.md": ("concerns",),
    ROOT / "docs/privileges.md": ("needs", "roles"),
    ROOT / "docs/verify.md": ("verify",),
}
"""Every page with the parts that it must have."""
_ANY_SITE: Final = SiteSpec(SiteName("site2"), VCenterName("east"), "DC2", "C2", None, "ds", None, {"there": "here"})
_PART: Final = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def diagram() -> str:
    """The state machine, as Mermaid draws it on GitHub."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {Phase.DRAFTED}"]
    lines += [f"    {before} --> {after}: {event.__name__}" for (before, event), after in TRANSITIONS.items()]
    lines += [f"    {phase} --> [*]" for phase in Phase if phase in ENDS]
    return "\n".join([*lines, "```"])


def events() -> str:
    """What can happen, in the words of the machine itself."""
    every = dict.fromkeys(event for _, event in TRANSITIONS)
    rows = [(f"`{event.__name__}`", " ".join((event.__doc__ or "").split())) for event in every]
    return _table(("event", "what happened"), rows)


def states() -> str:
    """Every state with the words that people read, and what it means for a copy."""

    def copying(phase: Phase) -> str:
        if phase is Phase.NEEDS_HUMAN:
            return "nobody can tell"
        return "over" if phase in ENDS else "may be running" if phase in STARTED else "not started"

    return _table(("state", "in Slack", "the copy"), [(f"`{phase}`", WORDS[phase], copying(phase)) for phase in Phase])


def concerns() -> str:
    """Every concern, as its guard declares it."""
    heads = ("concern", "weight", "when it speaks", "lifted by", "rests on", "not known")
    return _table(heads, [_row(guard) for guard in GUARDS])


def needs() -> str:
    """Every privilege that something of the program needs."""
    heads = ("privilege", "on", "for", "to", "called", "without it")
    rows = [
        (
            f"`{need.privilege}`",
            need.on.value,
            need.when,
            need.what_for.removeprefix("to "),
            need.calls,
            need.without if need.needed else f"optional: {need.without}",
        )
        for need in NEEDS
    ]
    return _table(heads, rows)


def roles() -> str:
    """The five roles, as large as they become."""
    keys = frozenset(key for need in NEEDS for key in need.allow)
    on = {grant.part: grant for grant in reversed(grants_of([_ANY_SITE]))}
    rows = [
        (
            f"`coldmigrate-{role.part}`",
            on[role.part].kind.value,
            "yes" if on[role.part].propagate else "no",
            ", ".join(f"`{name}`" for name in role.privileges),
        )
        for role in roles_of(Extent(keys, across=True, encrypted=True))
    ]
    return _table(("role", "granted on", "propagates", "at most"), rows)


def verify() -> str:
    """What could only be tried against players."""
    parts = []
    for item in items():
        steps = [f"- check: {step}" for step in item.check]
        tried = ["- `coldmigrate doctor --verify --try` tries it"] if item.attempt else []
        facts = [f"- source: {item.source}", *steps, *tried, f"- report: {item.report}"]
        rests = ", ".join(f"`{file}`" for file in item.where)
        parts.append(
            "\n".join([f"### {item.id} ({item.area})", "", item.believed, "", *facts, f"- rests on it: {rests}"])
        )
    return "\n\n".join(parts)


PARTS: Final[dict[str, Callable[[], str]]] = {
    "diagram": diagram,
    "events": events,
    "model": model,
    "states": states,
    "concerns": concerns,
    "needs": needs,
    "roles": roles,
    "verify": verify,
}


def renewed(page: str) -> str:
    """The page with every generated part as it has to be."""
    return _PART.sub(lambda part: f"{part[1]}{PARTS[part['name']]()}\n{part[3]}", page)


def _row(guard: Guard) -> tuple[str, ...]:
    facts = (*guard.rests_on, *guard.refined_by)
    by_owner: dict[str, list[str]] = {}
    for fact in facts:
        by_owner.setdefault(fact.of, []).append(f"`{fact.path}`")
    return (
        f"`{guard.id}`" + (" (passes by itself)" if guard.passes else ""),
        ", ".join(guard.weights),
        guard.when,
        guard.lifted_by,
        "; ".join(f"{owner}: {', '.join(paths)}" for owner, paths in by_owner.items()) or "request and config",
        guard.ignorance if facts else "",
    )


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    return "\n".join([line(heads), line(("---",) * len(heads)), *map(line, rows)])


if __name__ == "__main__":
    for place in PAGES:
        place.write_text(renewed(place.read_text(encoding="utf-8")), encoding="utf-8")
