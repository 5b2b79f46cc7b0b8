"""A site of the config: whether all that it names is there, and what its hosts can do for a copy and a diagnosis.

What a plan would say of one VM is told here once for the site.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from bot.diagnosis.facts import DEFAULT_STACK
from bot.errors import ColdmigrateError
from bot.finding import Finding, error, fine, warning
from bot.migration.concerns.clock_offsets import WORTH_SAYING
from bot.migration.facts import HostFacts, SiteFacts, SiteSpec
from bot.migration.measured import port_of
from bot.migration.path import NFC_PORT, PROVISIONING, serving
from bot.vsphere import host_facts, probes
from bot.vsphere.esxcli import KIND
from bot.vsphere.examination_look import Check, Look
from bot.vsphere.host_log import HostLogReader
from bot.vsphere.port import FaultError
from bot.vsphere.site_facts import read_site

CLOCKS: Final = 16
"""So many hosts of a site are asked for their clocks, one after the other; that others were not is said."""

LOG: Final = "vpxa"
NAMED: Final = 3
_CONNECTED: Final = "connected"
_LISTENS: Final = "LISTEN"
_FULL: Final = 0.05

_Part = Callable[[Look, SiteFacts, str], Iterator[Finding]]


def checks(look: Look, site: SiteSpec) -> list[tuple[str, Check]]:
    """The place first: what could not be read of it is not asked for again."""
    about = f"site.{site.name}"
    parts = {
        "datastore": _datastore,
        "folder": _folder,
        "networks": _networks,
        "hosts": _hosts,
        "provisioning": _provisioning,
        "clocks": _clocks,
        "logs": _logs,
        "esxcli": _esxcli,
    }
    later = [(f"{about}.{part}", partial(_of_seen, look, site, part, check)) for part, check in parts.items()]
    return [(f"{about}.place", partial(_place, look, site, f"{about}.place")), *later]


def names(found: Iterable[str]) -> str:
    """Some of them, for a sentence."""
    every = sorted(found)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more


def usable(facts: SiteFacts) -> list[HostFacts]:
    """The hosts that vCenter has and that may take a VM."""
    return [host for host in facts.hosts if host.connection == _CONNECTED and not host.in_maintenance]


def _place(look: Look, site: SiteSpec, about: str) -> Iterator[Finding]:
    facts = look.seen[site.name] = look.ask(lambda connected: read_site(connected, site))
    what = f"cluster {site.cluster}" if site.cluster else f"host {site.host}"
    yield fine(about, f"Datacenter {site.datacenter} has {what}, of {len(facts.hosts)} hosts.")


def _of_seen(look: Look, site: SiteSpec, part: str, check: _Part) -> Iterator[Finding]:
    facts = look.seen.get(site.name)
    if facts is not None:
        yield from check(look, facts, f"site.{site.name}.{part}")


def _datastore(_look: Look, facts: SiteFacts, about: str) -> Iterator[Finding]:
    name = facts.spec.datastore
    found = next((store for store in facts.datastores if store.name == name), None)
    if found is None:
        known = names(store.name for store in facts.datastores) or "none"
        yield error(
            about, f"There is no datastore {name} in {facts.spec.datacenter}; it has {known}.", do="Mend the config."
        )
        return
    without = [host.name for host in facts.hosts if name not in host.datastores]
    if not found.accessible or found.maintenance != "normal":
        state = "is not accessible" if not found.accessible else f"is in maintenance ({found.maintenance})"
        yield error(about, f"Datastore {name} {state}.", do="Nothing can be moved there until that is over.")
    elif len(without) == len(facts.hosts):
        yield error(about, f"No host of the site mounts datastore {name}.", do="Mount it, or name another one.")
    elif without:
        yield warning(
            about, f"Datastore {name} is not mounted on {names(without)}.", do="No VM is placed on these hosts."
        )
    elif found.free < found.capacity * _FULL:
        yield warning(
            about, f"Datastore {name} has {found.free / 1e9:.0f} GB free.", do="Plans to it are blocked soon."
        )
    else:
        yield fine(about, f"Datastore {name} has {found.free / 1e9:.0f} GB free.")


def _folder(_look: Look, facts: SiteFacts, about: str) -> Iterator[Finding]:
    if facts.folder_moid is None:
        yield error(about, f"There is no VM folder {facts.folder}.", do="Make it, or mend the config.")
    else:
        yield fine(about, f"VMs arrive in {facts.folder}.")


def _networks(_look: Look, facts: SiteFacts, about: str) -> Iterator[Finding]:
    wanted, there = set(facts.spec.networks.values()), {network.name for network in facts.networks}
    if missing := wanted - there:
        known = names(there) or "none"
        yield error(
            about, f"There is no network {names(missing)}; there are {known}.", do="Mend `networks` of the site."
        )
        return
    lacking = {host.name for host in facts.hosts if wanted - set(host.networks)}
    if lacking:
        do = "VMs that need one of them are not placed there; connect these hosts, too."
        yield warning(about, f"{names(lacking)} do not have every network of the map.", do=do)
    elif wanted:
        yield fine(about, f"All {len(wanted)} networks of the map are there, on every host.")
    else:
        yield fine(about, "No network is mapped: network cards keep the names of their networks.")


def _hosts(_look: Look, facts: SiteFacts, about: str) -> Iterator[Finding]:
    away = [host.name for host in facts.hosts if host.connection != _CONNECTED]
    resting = [host.name for host in facts.hosts if host.connection == _CONNECTED and host.in_maintenance]
    versions = Counter(host.version or "unknown" for host in facts.hosts)
    told = ", ".join(f"{count} of {version}" for version, count in sorted(versions.items()))
    if not usable(facts):
        yield error(about, f"None of {len(facts.hosts)} hosts can take a VM.", do="See their state in vCenter.")
    elif away or resting:
        parts = [f"not connected: {names(away)}"] if away else []
        parts += [f"in maintenance: {names(resting)}"] if resting else []
        yield warning(
            about, f"{'; '.join(parts)}.", do="No VM is placed there, and none can leave a host that is away."
        )
    elif len(versions) > 1:
        yield warning(about, f"Hosts: {told}.", do="Copies from and to them may take different ways.")
    else:
        yield fine(about, f"Hosts: {told}; all are connected.")


def _provisioning(_look: Look, facts: SiteFacts, about: str) -> Iterator[Finding]:
    having = [host.name for host in facts.hosts if serving(host, PROVISIONING)]
    lacking = sorted({host.name for host in facts.hosts} - set(having))
    if having and lacking:
        do = "Give all of them one, or none: of such a pair KB 340170 says nothing."
        yield warning(about, f"{names(lacking)} have no provisioning interface, and {names(having)} have.", do=do)
    elif having:
        yield fine(about, "Every host has a provisioning interface.")
    else:
        yield fine(about, "No host has a provisioning interface: copies share the management network (KB 340170).")


def _clocks(look: Look, facts: SiteFacts, about: str) -> Iterator[Finding]:
    hosts = [host.name for host in facts.hosts if host.connection == _CONNECTED]
    wrong: list[str] = []
    unread: list[str] = []
    for name in hosts[:CLOCKS]:
        if len(unread) == NAMED:
            break  # the next one would be as silent, and cost as much
        try:
            offset = look.ask(partial(host_facts.clock_offset, name=name))
        except ColdmigrateError as failure:
            unread.append(f"{name} ({str(failure).rstrip('.')})")
            continue
        if abs(offset) >= WORTH_SAYING:
            wrong.append(f"{name} by {offset.total_seconds():+.0f} s")
    rest = f" {len(hosts) - CLOCKS} more hosts were not asked." if len(hosts) > CLOCKS else ""
    if wrong:
        yield warning(about, f"Clocks are off vCenter's: {names(wrong)}.{rest}", do="Mend NTP on these hosts.")
    elif unread:
        yield warning(about, f"Clocks could not be read: {names(unread)}.{rest}", do="Mend that, and look again.")
    else:
        yield fine(about, f"The clocks of {min(len(hosts), CLOCKS)} hosts agree with vCenter's.{rest}")


def _logs(look: Look, facts: SiteFacts, about: str) -> Iterator[Finding]:
    host = _one(facts)
    if host is None:
        return
    try:
        last = look.ask(partial(HostLogReader().last_line, host=host, log=LOG))
    except FaultError as failure:
        yield warning(about, str(failure), do="Migrations run without, but no failure is diagnosed from logs.")
    else:
        yield fine(about, f"{LOG} of {host} can be read ({last} lines).")


def _esxcli(look: Look, facts: SiteFacts, about: str) -> Iterator[Finding]:
    """The connections of one host: whether esxcli is open to us, and whether anybody takes NFC there."""
    host = _one(facts)
    if host is None:
        return
    question = partial(probes.connections, look.esxcli, host=host, ports=(NFC_PORT,), netstack=DEFAULT_STACK)
    try:
        found = look.ask(question)
    except FaultError as failure:
        do = "Migrations run without, but no path is measured." if failure.kind != KIND else "Try it on the host."
        yield warning(about, str(failure), do=do)
        return
    if any(one.state == _LISTENS and port_of(one.local) == NFC_PORT for one in found):
        yield fine(about, f"esxcli answers on {host}, which listens on TCP {NFC_PORT}.")
    else:
        do = "Look at nfcd (8.x) or vpxa and hostd there: after a reboot nfcd may not have started (KB 420991)."
        yield warning(about, f"On {host} nobody listens on TCP {NFC_PORT}, which every copy needs.", do=do)


def _one(facts: SiteFacts) -> str | None:
    """The name of a host that may be asked, if there is any."""
    return next((host.name for host in usable(facts)), None)
