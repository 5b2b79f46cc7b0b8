"""The door to what a person may ask for: one method per verb, domain types only. Handlers call it, compose fills it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.migration.request import JobId


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, and in which channel: rights are given to users, to user groups and to channels."""

    user_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class MigrateOrder:
    """What was typed after the command, taken apart but not looked up: no name in it is known to exist."""

    vm: str
    site: str
    host: str | None = None
    datastore: str | None = None
    networks: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person reads at once, as plain text. `public`: the whole channel reads it too."""

    text: str
    lines: Sequence[str] = ()
    public: bool = False


class Verbs(Protocol):
    """Every verb checks the person's rights itself, persists before it returns, and promises nothing it did not store.

    All raise UserError (they can mend it), RefusedError (who can lift it) and OutsideError (UnreachableError: nothing
    was changed; MaybeSentError: it may have been).
    """

    async def migrate(self, who: Person, channel: str, order: MigrateOrder, *, dedupe: str) -> Answer:
        """Draft a migration whose card goes to `channel`. The same `dedupe` drafts once."""
        ...

    async def approve(self, who: Person, job: JobId, fingerprint: str) -> Answer:
        """Approve the very plan that has this fingerprint."""
        ...

    async def cancel(self, who: Person, job: JobId) -> Answer: ...

    async def retry(self, who: Person, channel: str, job: JobId, *, dedupe: str) -> Answer:
        """Draft what `job` was, again. The same `dedupe` drafts once."""
        ...

    async def jobs(self, who: Person) -> Answer:
        """The queue, as far as this person may see it."""
        ...

    async def show(self, who: Person, job: JobId) -> Answer: ...

    async def help(self, who: Person) -> Answer:
        """Only what this person may do."""
        ...
