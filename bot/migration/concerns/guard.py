"""The frame of every concern: what it looks at, what it rests on, what it may say, who lifts it. Pure.

One file per guard declares one `GUARD`. A guard says nothing of facts that could not be read; the frame then says that
it is not known, once, with the weight that the guard gives to not knowing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity

_BY_READING: Final = "the right to read it (docs/privileges.md), or whoever knows"


class Of(StrEnum):
    """Whose fact it is."""

    VM = "VM"
    SOURCE_HOST = "source host"
    HOST = "target host"
    DATASTORE = "datastore"
    SITE = "site"
    SURVEY = "survey"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is read: a property path as `unread` names it, or a field of the survey."""

    of: Of
    path: str

    def is_unread(self, choice: Choice) -> bool:
        """Whether this, a part of it or what it is a part of could not be read."""
        return any(_overlap(self.path, path) for path in _unread(choice, self.of))

    def in_words(self, choice: Choice) -> str:
        """`config.hardware.device of web01`; of the survey, why it could not be found out."""
        if self.of is Of.SURVEY and choice.survey is not None:
            return choice.survey.unread.get(self.path) or self.path
        return f"{self.path} of {_name(choice, self.of)} could not be read"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `lifted_by` empty: who lifts it is what the guard declares. `unknown`: it cannot tell."""

    severity: Severity | None
    text: str
    lifted_by: str = ""

    @property
    def unknown(self) -> bool:
        return self.severity is None


@dataclass(frozen=True, slots=True)
class Guard:
    """One thing that may speak against a plan.

    `when`: when it speaks, for the docs. `weights`: all severities that its check may find. `rests_on`: without these
    facts it cannot tell; `refined_by`: without these it tells less. `ignorance`: the severity of not knowing.
    `passes`: what it blocks for ends without anybody's doing, so that an approved plan may wait for it.
    """

    id: str
    when: str
    weights: tuple[Severity, ...]
    lifted_by: str
    check: Callable[[Choice], Iterable[Finding]]
    rests_on: tuple[Fact, ...] = ()
    refined_by: tuple[Fact, ...] = ()
    ignorance: Severity = Severity.NOTE
    passes: bool = False

    def concerns(self, choice: Choice) -> Iterator[Concern]:
        """What speaks against this choice. At most one of them says that something is not known."""
        missing = [fact for fact in self.rests_on if fact.is_unread(choice)]
        found = [] if missing else list(self.check(choice))
        for finding in found:
            if finding.severity is not None:
                yield Concern(self.id, finding.severity, finding.text, finding.lifted_by or self.lifted_by)
        if any(finding.severity is Severity.BLOCK for finding in found):
            return
        missing += [fact for fact in self.refined_by if fact.is_unread(choice)]
        reasons = [unknown(fact.in_words(choice)) for fact in missing] + [f for f in found if f.unknown]
        if reasons:
            yield self._ignorance(reasons)

    def _ignorance(self, reasons: list[Finding]) -> Concern:
        why = "; ".join(dict.fromkeys(reason.text.rstrip(".") for reason in reasons))
        lifted_by = next((reason.lifted_by for reason in reasons if reason.lifted_by), _BY_READING)
        return Concern(self.id, self.ignorance, f"Not known ({self.id}): {why}.", lifted_by, unreadable=True)


def block(text: str, lifted_by: str = "") -> Finding:
    """It cannot be approved."""
    return Finding(Severity.BLOCK, text, lifted_by)


def warn(text: str, lifted_by: str = "") -> Finding:
    """A person should know before approving."""
    return Finding(Severity.WARN, text, lifted_by)


def note(text: str, lifted_by: str = "") -> Finding:
    """Worth saying."""
    return Finding(Severity.NOTE, text, lifted_by)


def unknown(why: str, lifted_by: str = "") -> Finding:
    """It cannot be told, and why."""
    return Finding(None, why, lifted_by)


def vm(*paths: str) -> tuple[Fact, ...]:
    """Properties of the VM."""
    return tuple(Fact(Of.VM, path) for path in paths)


def source_host(*paths: str) -> tuple[Fact, ...]:
    """Properties of the host that the VM is on."""
    return tuple(Fact(Of.SOURCE_HOST, path) for path in paths)


def host(*paths: str) -> tuple[Fact, ...]:
    """Properties of the host that it goes to."""
    return tuple(Fact(Of.HOST, path) for path in paths)


def datastore(*paths: str) -> tuple[Fact, ...]:
    """Properties of the datastore that it goes to."""
    return tuple(Fact(Of.DATASTORE, path) for path in paths)


def site(*paths: str) -> tuple[Fact, ...]:
    """Properties of what is at the site that it goes to."""
    return tuple(Fact(Of.SITE, path) for path in paths)


def survey(*fields: str) -> tuple[Fact, ...]:
    """Fields of the survey."""
    return tuple(Fact(Of.SURVEY, field) for field in fields)


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _unread(choice: Choice, of: Of) -> Iterable[str]:
    match of:
        case Of.VM:
            return choice.vm.unread
        case Of.SOURCE_HOST:
            return choice.vm.on.unread if choice.vm.on else ()
        case Of.HOST:
            return choice.host.unread if choice.host else ()
        case Of.DATASTORE:
            return [path for store in choice.targets for path in store.unread]
        case Of.SITE:
            return choice.site.unread
        case Of.SURVEY:
            return choice.survey.unread if choice.survey else ()


def _name(choice: Choice, of: Of) -> str:
    return {
        Of.VM: choice.vm.ref.name,
        Of.SOURCE_HOST: choice.vm.host,
        Of.HOST: choice.host_name,
        Of.DATASTORE: choice.datastore_name,
    }.get(of, str(choice.site.spec.name))
