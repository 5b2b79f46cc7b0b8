"""The options of a migration that are not for everybody: what the config must allow, and the right that each takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.errors import RefusedError
from bot.jobs.port import Job
from bot.migration.request import MigrationRequest, SiteName
from bot.operations.counter import Counter
from bot.operations.option import Option
from bot.operations.port import Person
from bot.operations.record import plan_of
from bot.operations.rights import Verb

_RIGHTS: Final = {Option.SHUTDOWN: Verb.POWER, Option.POWER_ON: Verb.POWER, Option.FORCE: Verb.FORCE}


async def offered_options(counter: Counter, who: Person) -> Sequence[Option]:
    """What the config allows and this person may do at some site, in the order of the options."""
    allowed, may = counter.allow, await counter.rights.allowed(who)
    forbidden = {
        Option.SHUTDOWN: not allowed.shutdown,
        Option.POWER_ON: not allowed.power_on,
        Option.DISCONNECT_ISO: not allowed.drives,
        Option.CONSOLIDATE: not allowed.consolidate,
    }
    return [one for one in Option if not forbidden.get(one) and (one not in _RIGHTS or _RIGHTS[one] in may)]


async def require_options(counter: Counter, who: Person, request: MigrationRequest, *, source: SiteName | None) -> None:
    """Pass if the config allows all that was asked for beside the move, and this person may ask for it.

    `source`: the site that the VM is at; None: no site of the config, then the target's rights count. RefusedError
    with the key to set, or the right that is missing.
    """
    allow = counter.allow
    if request.shutdown:
        require_allowed(allow.shutdown, Option.SHUTDOWN.typed, key="shutdown")
        await counter.rights.require(who, Verb.POWER, source or request.site)
    if request.power_on:
        require_allowed(allow.power_on, Option.POWER_ON.typed, key="power_on")
        await counter.rights.require(who, Verb.POWER, request.site)
    if request.disconnect_drives:
        require_allowed(allow.drives, Option.DISCONNECT_ISO.typed, key="drives")
    if request.consolidate:
        require_allowed(allow.consolidate, Option.CONSOLIDATE.typed, key="consolidate")
    if request.force:
        await counter.rights.require(who, Verb.FORCE, request.site)


def require_allowed(allowed: bool, what: str, *, key: str) -> None:  # noqa: FBT001 - the value of the key itself
    """RefusedError, with the key to set, for what the config does not allow."""
    if not allowed:
        raise RefusedError(
            f"{what} is not allowed here.",
            lifted_by=f"the people who keep coldmigrate.toml, with {key} = true in [allow]",
        )


def source_of(job: Job) -> SiteName | None:
    """The site that the VM of a job was at when it was planned; None: no site of the config, or no plan."""
    plan = plan_of(job)
    return plan.source.site if plan is not None else None
