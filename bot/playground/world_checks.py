"""What the models of the world file cannot see alone: dangling names, names given twice, lost words.

Works on the raw file, whatever shape it has, so that these mistakes are told together with all others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MOMENT = re.compile(r"(\d{1,2}) ?% of (\S.*)")
"""The `at` of an event that waits for a copy: "63 % of db01"."""

TARGETS: Mapping[str, frozenset[str]] = {
    "link": frozenset({"loss", "rate", "rtt", "mtu", "pmtud", "idle_timeout"}),
    "datastore": frozenset({"free", "accessible"}),
    "host": frozenset(
        {"connected", "maintenance", "nfcd", "authd", "nfc_memory", "dns", "tickets", "restart", "rotate"}
    ),
    "vm": frozenset({"locked", "power"}),
    "vcenter": frozenset({"sessions"}),
    "block": frozenset(),
    "unblock": frozenset(),
}
"""What an event can be about, and what can happen to it."""

Raw = Mapping[str, Any]


def host_name(site: str, number: int) -> str:
    """Return the name of the n-th host of a site, counted from 1."""
    return f"esx-{site}-{number:02d}.example.net"


def dangling(raw: Raw) -> Iterator[str]:
    """Name every mistake of this kind as `key: what was expected`."""
    sites = {str(site.get("name")): site for site in _tables(raw, "sites")}
    if not sites:
        yield "sites: expected at least one [[sites]] table"
    yield from _given_twice(raw)
    for index, site in enumerate(_tables(raw, "sites")):
        for other in _listed_in(site, "routes"):
            if other not in sites:
                yield f"sites.{index}.routes: expected sites {listed(sites)}, got {other!r}"
    for index, vm in enumerate(_tables(raw, "vms")):
        home = sites.get(str(vm.get("site")))
        if home is None:
            yield f"vms.{index}.site: expected one of {listed(sites)}, got {vm.get('site')!r}"
        else:
            yield from _lost_vm(index, vm, home)
    for index, link in enumerate(_tables(raw, "links")):
        ends = [*_listed_in(link, "between"), *_ends(_tables(link, "blocked"))]
        yield from (f"links.{index}: expected sites {listed(sites)}, got {end!r}" for end in ends if end not in sites)
    for index, event in enumerate(_tables(raw, "events")):
        yield from (f"events.{index}.{mistake}" for mistake in _lost_event(event, raw, sites))


def _given_twice(raw: Raw) -> Iterator[str]:
    for key in ("vcenters", "sites"):
        names = [str(entry.get("name")) for entry in _tables(raw, key)]
        yield from (f"{key}: expected one entry named {name!r}, found several" for name in _twice(names))
    homes = [(str(vm.get("site")), vm.get("folder") or "", str(vm.get("name"))) for vm in _tables(raw, "vms")]
    yield from (f"vms: expected {home[2]!r} once per folder of site {home[0]!r}" for home in _twice(homes))


def _lost_vm(index: int, vm: Raw, site: Raw) -> Iterator[str]:
    known = [*site.get("networks", ("VM Network",)), *site.get("portgroups", ("dvpg-app",))]
    for network in vm.get("networks") or ():
        if network not in known:
            yield f"vms.{index}.networks: expected one of {listed(known)}, got {network!r}"
    datastores = [store.get("name") for store in _tables(site, "datastores")]
    if vm.get("datastore") is not None and vm["datastore"] not in datastores:
        yield f"vms.{index}.datastore: expected one of {listed(datastores)}, got {vm['datastore']!r}"
    host, hosts = vm.get("host"), site.get("hosts", 2)
    if isinstance(host, int) and isinstance(hosts, int) and host > hosts:
        yield f"vms.{index}.host: expected 1 to {hosts}, got {host}"


def _lost_event(event: Raw, raw: Raw, sites: Mapping[str, Raw]) -> Iterator[str]:
    vms = {str(vm.get("name")) for vm in _tables(raw, "vms")}
    moment = MOMENT.fullmatch(str(event.get("at")).strip())
    if moment and moment[2] not in vms:
        yield f"at: expected a VM of this world, got {moment[2]!r}"
    joined = {frozenset(map(str, _listed_in(link, "between"))) for link in _tables(raw, "links")}
    if "link" in event and frozenset(map(str, _listed_in(event, "link"))) not in joined:
        yield f"link: expected the two sites of a link, got {event.get('link')!r}"
    for key in ("block", "unblock"):
        for end in _ends(_tables(event, key)):
            if end not in sites:
                yield f"{key}: expected sites {listed(sites)}, got {end!r}"
    known = {
        "host": {host for name, site in sites.items() for host in _hosts(name, site)},
        "datastore": {name for place, site in enumerate(sites.values(), 1) for name in _datastores(site, place)},
        "vm": vms,
        "vcenter": {str(site.get("vcenter")) for site in sites.values()},
    }
    for key, names in known.items():
        if key in event and event[key] not in names:
            yield f"{key}: expected one of {listed(sorted(names))}, got {event[key]!r}"
    yield from _without_target(event)


def _without_target(event: Raw) -> Iterator[str]:
    named = [target for target in TARGETS if target in event]
    if not named:
        yield f"at: expected something that happens, to one of {listed(TARGETS)}"
    for target, words in TARGETS.items():
        said = sorted(words & event.keys())
        if said and target not in event:
            yield from (f"{word}: expected together with {target!r}" for word in said)
        if words and not said and target in event:
            yield f"{target}: expected together with one of {listed(sorted(words))}"


def _tables(raw: Raw, key: str) -> list[dict[str, Any]]:
    """Return the tables under a key, whatever the file holds there: shapes are the models' business."""
    return [entry for entry in _listed_in(raw, key) if isinstance(entry, dict)]


def _listed_in(raw: Raw, key: str) -> list[Any]:
    found = raw.get(key)
    return found if isinstance(found, list) else []


def _ends(ports: Iterable[Raw]) -> Iterator[Any]:
    return (port.get(key) for port in ports for key in ("from", "to"))


def _hosts(name: str, site: Raw) -> list[str]:
    count = site.get("hosts", 2)
    return [host_name(name, number) for number in range(1, count + 1)] if isinstance(count, int) else []


def _datastores(site: Raw, place: int) -> list[str]:
    return [str(store.get("name")) for store in _tables(site, "datastores")] or [default_datastore(place)]


def default_datastore(place: int) -> str:
    """Return the datastore of a site that names none; `place` is the site's in the file, counted from 1."""
    return f"ds-c{place}-01"


def _twice(names: list[Any]) -> list[Any]:
    return [name for name, count in Counter(names).items() if count > 1]


def listed(names: Iterable[Any]) -> str:
    """Write names into a sentence."""
    return ", ".join(repr(name) for name in names) or "nothing (there is none)"
