"""What a mute is about: from what was typed to what is known, in words, and who may decide about it.

A host belongs to the sites of its vCenter, as far as the bot knows: whoever mutes it must be allowed at all of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable
from typing import Final

from bot.diagnosis.causes import Cause
from bot.errors import RefusedError, UserError
from bot.hostlog.line import HostKey
from bot.incidents.incident import Case, Client, IncidentId, Scope, ScopeKind
from bot.migration.plan import link_name
from bot.migration.request import SiteName
from bot.operations.alert_card import cause_in_words, host_name, link_ends, short
from bot.operations.alerts_rights import case_for, incidents_of, may_at, require_everywhere
from bot.operations.counter import Counter
from bot.operations.port import Person
from bot.operations.rights import EVERYWHERE, Verb

EXAMPLE: Final = "/nfcalerts mute esx-01.example.net 2h"
_LISTED: Final = 8
_WORDS: Final = {
    ScopeKind.INCIDENT: "the incident {}",
    ScopeKind.HOST: "the host {}",
    ScopeKind.VM: "the VM {}",
    ScopeKind.CAUSE: "the cause '{}'",
    ScopeKind.CLIENT: "all copies of the client '{}'",
    ScopeKind.ALL: "everything",
}


def written(text: str) -> Scope:
    """A scope as `Scope` writes it. UserError for anything else."""
    kind, _, name = text.partition(":")
    if kind not in set(ScopeKind) or (not name and kind != ScopeKind.ALL):
        raise UserError(f"'{text[:80]}' says not what is to be muted.", example=EXAMPLE)
    return Scope(ScopeKind(kind), name)


async def known_scope(counter: Counter, typed: Scope) -> Scope:
    """The same with the name in full. UserError for what is not known, with what is meant perhaps."""
    match typed.kind:
        case ScopeKind.HOST:
            return Scope(ScopeKind.HOST, host_called(typed.name, map(host_name, await known_hosts(counter))))
        case ScopeKind.VM:
            return Scope(ScopeKind.VM, await _vm(counter, typed.name))
        case ScopeKind.LINK:
            return Scope(ScopeKind.LINK, _link(counter, typed.name))
        case ScopeKind.CAUSE:
            return Scope(ScopeKind.CAUSE, _one_of(typed.name, [one.value for one in Cause], "cause"))
        case ScopeKind.CLIENT:
            return Scope(ScopeKind.CLIENT, _one_of(typed.name, [one.value for one in Client], "client"))
        case ScopeKind.INCIDENT | ScopeKind.ALL:
            return typed


async def require_scope(counter: Counter, who: Person, scope: Scope) -> None:
    """Pass if they may decide about this. RefusedError if not, UserError for an incident that is gone."""
    match scope.kind:
        case ScopeKind.INCIDENT:
            await case_for(counter, who, Verb.ALERTS, IncidentId(scope.name))
        case ScopeKind.HOST:
            at = [host for host in await known_hosts(counter) if host_name(host) == scope.name]
            await _require_all(counter, who, _sites_of_hosts(counter, at), scope)
        case ScopeKind.VM:
            await _require_all(counter, who, await _sites_of_vm(counter, scope.name), scope)
        case ScopeKind.LINK:
            may = await may_at(counter, who, Verb.ALERTS)
            if not any(map(may, scope.name.split("~"))):
                await counter.rights.require(who, Verb.ALERTS, SiteName(min(scope.name.split("~"))))
        case ScopeKind.CAUSE | ScopeKind.CLIENT | ScopeKind.ALL:
            await require_everywhere(counter, who, Verb.ALERTS, f"A mute of {in_words(scope)} counts at all sites")


async def may_mute(counter: Counter, who: Person, scope: Scope) -> bool:
    try:
        await require_scope(counter, who, scope)
    except RefusedError:
        return False
    return True


async def may_see_scope(counter: Counter, may: Callable[[str], bool], scope: Scope, hosts: Collection[HostKey]) -> bool:
    """Whether somebody who may see these sites may know that this is muted. `hosts`: all that are known."""
    match scope.kind:
        case ScopeKind.INCIDENT:
            case = await incidents_of(counter).get(IncidentId(scope.name))
            return any(map(may, case.incident.sites if case is not None and case.incident.sites else (EVERYWHERE,)))
        case ScopeKind.LINK:
            return any(map(may, scope.name.split("~")))
        case ScopeKind.HOST:
            at = [host for host in hosts if host_name(host) == scope.name]
            return any(map(may, _sites_of_hosts(counter, at) or (EVERYWHERE,)))
        case ScopeKind.VM:
            return any(map(may, await _sites_of_vm(counter, scope.name) or (EVERYWHERE,)))
        case ScopeKind.CAUSE | ScopeKind.CLIENT | ScopeKind.ALL:
            return True


def in_words(scope: Scope) -> str:
    """What it is about, as people say it."""
    match scope.kind:
        case ScopeKind.LINK:
            return f"the link between {link_ends(scope.name)}"
        case ScopeKind.CAUSE if scope.name in set(Cause):
            return f"the cause '{cause_in_words(Cause(scope.name))}'"
        case _:
            return _WORDS[scope.kind].format(scope.name)


async def known_hosts(counter: Counter) -> Collection[HostKey]:
    """Those that are watched, and those that incidents name."""
    watched = await counter.tallies() if counter.tallies is not None else ()
    live: Iterable[Case] = await incidents_of(counter).live()
    return {tally.host for tally in watched if tally.host[:1] != "/"} | {
        host for case in live for host in case.incident.hosts
    }


def host_called(typed: str, names: Iterable[str]) -> str:
    """The one host of this name, long or short, in any case. With no host known at all, what was typed has to do."""
    every = sorted(set(names))
    wanted = typed.casefold().rstrip(".")
    whole = [name for name in every if name.casefold() == wanted]
    found = whole or [name for name in every if short(name.casefold()) == wanted]
    if len(found) == 1 or not every:
        return found[0] if found else typed
    if found:
        raise UserError(
            f"'{typed}' may be any of {', '.join(found[:_LISTED])}.", example=f"/nfcalerts mute {found[0]} 2h"
        )
    by_short = {short(name.casefold()): name for name in every}
    near = difflib.get_close_matches(wanted, [*by_short, *map(str.casefold, every)], n=1, cutoff=0.7)
    meant = by_short.get(near[0], near[0]) if near else ""
    raise UserError(
        f"I watch no host '{typed}'.{f' Did you mean {meant}?' if meant else ''} "
        "A VM, a link, a cause or a client is muted with that word before its name.",
        example=f"/nfcalerts mute {meant} 2h" if meant else "/nfcalerts mute vm web01 2h",
    )


async def _vm(counter: Counter, typed: str) -> str:
    wanted = typed.casefold()
    named = [vm for case in await incidents_of(counter).live() for vm in case.incident.vms]
    if exact := next((vm for vm in named if vm.casefold() == wanted), None):
        return exact
    here = [vm.ref.name for vm in await counter.inventory.find(typed)]
    if exact := next((vm for vm in here if vm.casefold() == wanted), None):
        return exact
    near = [vm.ref.name for vm in await counter.inventory.suggest(typed, limit=1)]
    raise UserError(
        f"I know no VM '{typed}'.{f' Did you mean {near[0]}?' if near else ''}",
        example=f'/nfcalerts mute vm "{near[0] if near else "web01"}" 2h',
    )


def _link(counter: Counter, typed: str) -> str:
    one, _, other = typed.partition("~")
    ends = counter.site(one).name, counter.site(other).name
    if ends[0] == ends[1]:
        raise UserError("A link has two different ends.", example="/nfcalerts mute link site1 site2 2h")
    return link_name(*ends)


def _one_of(typed: str, known: Collection[str], what: str) -> str:
    wanted = "_".join(typed.casefold().replace("-", " ").replace("_", " ").split())
    if wanted in known:
        return wanted
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.6)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise UserError(
        f"There is no {what} '{typed}'.{meant} There are: {', '.join(known)}.",
        example=f"/nfcalerts mute {what} {near[0] if near else next(iter(known))} 2h",
    )


async def _require_all(counter: Counter, who: Person, sites: Collection[str], scope: Scope) -> None:
    if not sites:
        await require_everywhere(counter, who, Verb.ALERTS, f"I do not know at which site {in_words(scope)} is")
    for site in sorted(sites):
        await counter.rights.require(who, Verb.ALERTS, SiteName(site))


def _sites_of_hosts(counter: Counter, hosts: Iterable[HostKey]) -> set[str]:
    vcenters = {host.partition("/")[0] for host in hosts}
    return {site.name for site in counter.sites.values() if site.vcenter in vcenters}


async def _sites_of_vm(counter: Counter, name: str) -> set[str]:
    here = {(vm.ref.vcenter, vm.site_hint) for vm in await counter.inventory.find(name)}
    return {site.name for site in counter.sites.values() if (site.vcenter, site.datacenter) in here}
