"""What a migration takes up while it runs: its link, two hosts, two datastores. Pure names; the queue counts them.

A name is a kind and an id. The queue has a limit for each link by its name and one for each other kind; a pair of hosts
has none: it is only ever held (`bot.jobs.port.Hold`).
"""

from __future__ import annotations

from typing import Final

from bot.migration.plan import Plan

EVERYTHING: Final = "*"
"""Held while the fleet is drained."""

HOST: Final = "host"
DATASTORE: Final = "datastore"
PAIR: Final = "pair"


def host(vcenter: str, name: str) -> str:
    """`host:east/esx-01.example.net`."""
    return f"{HOST}:{vcenter}/{name}"


def datastore(vcenter: str, name: str) -> str:
    """`datastore:east/ds-c1-01`."""
    return f"{DATASTORE}:{vcenter}/{name}"


def pair(source: str, target: str) -> str:
    """`pair:esx-01.example.net~esx-11.example.net`, the same in both directions."""
    return f"{PAIR}:" + "~".join(sorted((source, target)))


def needs_of(plan: Plan) -> tuple[str, ...]:
    """Everything besides the link that the plan's migration holds while it runs, sorted."""
    vcenter = plan.request.vm.vcenter
    source, target = plan.source, plan.target
    found = {
        host(vcenter, source.host),
        host(vcenter, target.host),
        datastore(vcenter, source.datastore),
        datastore(vcenter, target.datastore),
        pair(source.host, target.host),
    }
    return tuple(sorted(found))


def in_words(resource: str) -> str:
    """A resource as people call it: "the link site1~site2", "the host esx-01.example.net"."""
    if resource == EVERYTHING:
        return "everything"
    kind, separator, name = resource.partition(":")
    if not separator:
        return f"the link {resource}"
    if kind == PAIR:
        return "the hosts " + " and ".join(name.split("~"))
    return f"the {kind} {name.partition('/')[2] or name}"
