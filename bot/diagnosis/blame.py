"""What groups of lines have to do with each other: rules that need company, a host's trouble, the other end's lines.

Between groups only; what one group means is said in `judge.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from bot.diagnosis.causes import Role, Stage
from bot.diagnosis.group import Group
from bot.diagnosis.rules import Catalogue, Rule

BLAME = timedelta(seconds=60)  # a full datastore or a crash this close to a broken copy is its likelier cause
ENDS = timedelta(seconds=10)  # both ends of a copy see it break within this, when their clocks agree


def lay_blame(groups: Sequence[Group], catalogue: Catalogue) -> list[Group]:
    """Return the failures: lines that mean something only in company have it, and neighbours are where they belong.

    Nameless lines that would explain a failure go to the operations that failed beside them, and the nameless lines
    of the other end to the one operation that they can belong to.
    """
    left = _in_company(groups, catalogue)
    named = [group for group in left if not group.anonymous]
    nameless = [group for group in left if group.anonymous]
    taken = _explaining(named, nameless, catalogue)
    taken |= _other_ends(named, [group for group in nameless if id(group) not in taken], catalogue)
    return _in_company([group for group in left if id(group) not in taken], catalogue, anew=taken)


def _in_company(groups: Iterable[Group], catalogue: Catalogue, *, anew: set[int] | None = None) -> list[Group]:
    """Return the groups without the rules whose `needs` are not there. What needs a neighbour waits for a second look.

    The first look (`anew` None) lets a group live that may still find its company in another one.
    """
    result = []
    for group in groups:
        present = {name: catalogue.rules[name] for name in (*group.rules, *group.contexts)}
        kept = _satisfied(present)
        if len(kept) < len(present) and anew is not None:
            group.known_by(kept)
        if group.span.lines:
            result.append(group)
    return result


def _satisfied(rules: dict[str, Rule]) -> dict[str, Rule]:
    """Return the rules that have the company they need among each other."""
    left = dict(rules)
    while lonely := [name for name, rule in left.items() if rule.needs and not rule.needs & left.keys()]:
        for name in lonely:
            del left[name]
    return left


def _explaining(named: Iterable[Group], nameless: Sequence[Group], catalogue: Catalogue) -> set[int]:
    taken: set[int] = set()
    host_wide = {rule.id for rule in catalogue.rules.values() if rule.host_wide}
    for group in named:
        roots = [catalogue.rules[name] for name in group.rules if catalogue.rules[name].role is Role.DECISIVE]
        suspects = host_wide.union(*(rule.contradicted_by for rule in roots))
        for other in nameless:
            if suspects & other.rules.keys() and other.span.within(group.span, BLAME):
                group.absorb(other)
                taken.add(id(other))
    return taken


def _other_ends(named: Sequence[Group], nameless: Iterable[Group], catalogue: Catalogue) -> set[int]:
    """Give lines of the same moment and stage, from another file, to the one operation that they can belong to."""
    taken: set[int] = set()
    for other in nameless:
        ends = [group for group in named if _two_ends(group, other, catalogue)]
        if len(ends) == 1:
            ends[0].absorb(other)
            taken.add(id(other))
    return taken


def _two_ends(group: Group, other: Group, catalogue: Catalogue) -> bool:
    apart = not group.files & other.files and (not group.hosts or not other.hosts or not group.hosts & other.hosts)
    return apart and group.span.within(other.span, ENDS) and bool(_stages(group, catalogue) & _stages(other, catalogue))


def _stages(group: Group, catalogue: Catalogue) -> set[Stage]:
    return {stage for name in group.rules if (stage := catalogue.rules[name].stage)}
