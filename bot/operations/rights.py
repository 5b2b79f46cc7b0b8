"""Who may do what where: grants from the config, asked anew for every command and every click. Nobody until said."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.errors import RefusedError, UserError
from bot.migration.request import SiteName
from bot.operations.port import Person
from bot.slack.port import GroupMembers

EVERYWHERE: Final = "*"


class Verb(StrEnum):
    """What can be granted. Whoever may do anything at a site may also see it; whoever may migrate may retry.

    FORCE: lift the warnings of a plan. POWER: shut VMs down, power them on and off. CLEAN: delete what a failed copy
    left behind.
    """

    MIGRATE = "migrate"
    APPROVE = "approve"
    FORCE = "force"
    CANCEL = "cancel"
    RETRY = "retry"
    POWER = "power"
    CLEAN = "clean"
    DIAGNOSE = "diagnose"
    ALERTS = "alerts"
    SEE = "see"


class WhoKind(StrEnum):
    """The three forms of an entry of `who`: `user:U…`, `group:S…`, `channel:C…`."""

    USER = "user"
    GROUP = "group"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Grant:
    """These may do that at those sites; `*` among `sites` is every site. UserError for an entry in no known form."""

    who: tuple[str, ...]
    may: frozenset[Verb]
    sites: tuple[str, ...] = (EVERYWHERE,)

    def __post_init__(self) -> None:
        for entry in self.who:
            _parsed(entry)

    @property
    def verbs(self) -> frozenset[Verb]:
        """What is granted, with what follows from it."""
        implied = {Verb.SEE} if self.may else set()
        implied |= {Verb.RETRY} if Verb.MIGRATE in self.may else set()
        return self.may | implied

    def covers(self, site: SiteName | None) -> bool:
        """`None` asks for any site at all."""
        return bool(self.sites) if site is None else EVERYWHERE in self.sites or site in self.sites


_DEEDS: Final = {
    Verb.MIGRATE: "ask for migrations",
    Verb.APPROVE: "approve migrations",
    Verb.FORCE: "lift the warnings of migrations",
    Verb.CANCEL: "cancel migrations",
    Verb.RETRY: "retry migrations",
    Verb.POWER: "shut down VMs, or power them on or off,",
    Verb.CLEAN: "delete what failed copies left behind",
    Verb.DIAGNOSE: "ask for diagnoses",
    Verb.ALERTS: "acknowledge, mute and resolve alerts",
    Verb.SEE: "see migrations",
}
_AT: Final = frozenset({Verb.POWER, Verb.CLEAN})
"""Done at a site, and not to it."""


class Rights:
    """The grants, with a way to ask who is in a user group."""

    def __init__(self, grants: Sequence[Grant], groups: GroupMembers) -> None:
        self._grants = tuple(grants)
        self._groups = groups

    async def require(self, person: Person, verb: Verb, site: SiteName | None) -> None:
        """Pass if `person` may do it at `site`, or anywhere if `site` is None.

        RefusedError if not. OutsideError if only a user group could say so and Slack cannot be asked: never a yes.
        """
        grants = [grant for grant in self._grants if verb in grant.verbs and grant.covers(site)]
        if not await self._any(person, [entry for grant in grants for entry in grant.who]):
            where = f" {'at' if verb in _AT else 'to'} {site}" if site else ""
            raise RefusedError(
                f"You ({person.user_id}) may not {_DEEDS[verb]}{where}: no [[rights]] entry gives you '{verb}'.",
                lifted_by="the people who keep coldmigrate.toml",
            )

    async def sites(self, person: Person, verb: Verb) -> Callable[[SiteName], bool]:
        """Tells for each site whether `person` may do it there. OutsideError as for `require`."""
        grants = [grant for grant in self._grants if verb in grant.verbs and await self._any(person, grant.who)]
        return lambda site: any(grant.covers(site) for grant in grants)

    async def allowed(self, person: Person) -> set[Verb]:
        """Everything this person may do at some site. OutsideError as for `require`."""
        found: set[Verb] = set()
        for grant in self._grants:
            if grant.sites and not grant.verbs <= found and await self._any(person, grant.who):
                found |= grant.verbs
        return found

    async def _any(self, person: Person, entries: Collection[str]) -> bool:
        """Whether one of `entries` means this person; groups last, because they cost a question to Slack."""
        parsed = {_parsed(entry) for entry in entries}
        if (WhoKind.USER, person.user_id) in parsed or (WhoKind.CHANNEL, person.channel) in parsed:
            return True
        for group in sorted(name for kind, name in parsed if kind is WhoKind.GROUP):
            if person.user_id in await self._groups.members(group):
                return True
        return False


def _parsed(entry: str) -> tuple[WhoKind, str]:
    kind, _, name = entry.partition(":")
    if kind not in set(WhoKind) or not name:
        raise UserError(
            f"'{entry}' names nobody: [[rights]] who takes user:, group: or channel: with a Slack id.",
            example='who = ["group:S0123VMOPS", "user:U0456"]',
        )
    return WhoKind(kind), name
