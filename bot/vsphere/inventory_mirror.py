"""What a worker knows of one vCenter's inventory: names and who stands below whom, as plain text.

Properties come in any order and a few at a time; a VM may be told of before the folder that it is in. So rows are made
only when everything that was news has been taken in. No managed object is kept, which would be ten times the size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from sys import intern
from typing import NamedTuple

from bot.vsphere.inventory_line import Line
from bot.vsphere.tree import shown

Told = Mapping[str, str]
"""Properties by their path; a reference is the id of what it leads to, and what is unset is empty."""

IN_A_CYCLE = 100
"""Steps from a VM to the root: more there are only if what we were told so far goes in a circle."""


class Node(NamedTuple):
    """A folder, datacenter, compute resource, host or vApp. A vApp has a folder beside the pool that it is in."""

    name: str = ""
    parent: str = ""
    folder: str = ""
    datacenter: bool = False

    @property
    def above(self) -> str:
        return self.folder or self.parent


class Machine(NamedTuple):
    """A VM. One in a vApp has no parent."""

    uuid: str = ""
    name: str = ""
    parent: str = ""
    vapp: str = ""
    host: str = ""
    power: str = ""

    @property
    def above(self) -> str:
        return self.parent or self.vapp


class Mirror:
    """Everything below `root`, and what has changed since it was last asked for."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._nodes: dict[str, Node] = {}
        self._machines: dict[str, Machine] = {}
        self._new_nodes: set[str] = set()
        self._new_machines: set[str] = set()
        self._ways: dict[str, tuple[str, str]] = {}

    def __len__(self) -> int:
        return len(self._machines)

    def learn_node(self, node: str, told: Told, *, datacenter: bool = False) -> None:
        """Take in properties of a node."""
        known = self._nodes.get(node, Node(datacenter=datacenter))
        now = known._replace(
            name=told.get("name", known.name),
            parent=told.get("parent", known.parent),
            folder=told.get("parentFolder", known.folder),
        )
        if now != known or node not in self._nodes:
            self._nodes[node] = now
            self._new_nodes.add(node)

    def learn_machine(self, machine: str, told: Told) -> None:
        """Take in properties of a VM. Its UUID never goes: only whether we may read it does."""
        known = self._machines.get(machine, Machine())
        uuid = told.get("summary.config.instanceUuid") or known.uuid
        self._machines[machine] = now = Machine(
            uuid=uuid,
            name=told.get("name", known.name),
            parent=intern(told.get("parent", known.parent)),
            vapp=intern(told.get("parentVApp", known.vapp)),
            host=intern(told.get("runtime.host", known.host)),
            power=intern(told.get("runtime.powerState", known.power)),
        )
        if now != known:
            self._new_machines.add(machine)

    def forget(self, thing: str) -> None:
        """Take in that something is no more, or no longer ours to see."""
        if self._machines.pop(thing, None) is not None:
            self._new_machines.add(thing)
        if self._nodes.pop(thing, None) is not None:
            self._new_nodes.add(thing)

    def news(self) -> dict[str, Line | None]:
        """Return the rows of VMs that changed, or above which something did, since this was last asked."""
        changed = self._new_machines | self._below(self._new_nodes)
        if self._new_nodes:
            self._ways.clear()
        self._new_nodes, self._new_machines = set(), set()
        return {machine: self._line(machine) for machine in changed}

    def everything(self) -> dict[str, Line | None]:
        """Return all rows; there is no news then."""
        self._ways.clear()
        self._new_nodes, self._new_machines = set(), set()
        return {machine: line for machine in self._machines if (line := self._line(machine))}

    def _below(self, nodes: set[str]) -> set[str]:
        if not nodes:
            return set()
        known: dict[str, bool] = {}

        def stands(place: str) -> bool:
            if place not in known:
                known[place] = any(step in nodes for step in self._upward(place))
            return known[place]

        return {at for at, machine in self._machines.items() if stands(machine.above) or stands(machine.host)}

    def _line(self, machine: str) -> Line | None:
        """Return a row; None for a VM that is gone, or of which too little is known to name it."""
        vm = self._machines.get(machine)
        if vm is None or not vm.uuid or not vm.name:
            return None
        way, site = self._way(vm.above)
        host = self._nodes.get(vm.host)
        return Line(
            uuid=vm.uuid,
            name=shown(vm.name),
            path=f"{way}/{vm.name}",
            host=shown(host.name) if host else "",
            site=site or self._way(vm.host)[1],
            power=vm.power,
        )

    def _way(self, place: str) -> tuple[str, str]:
        """Return the path to a place, and the name of the datacenter that it is in."""
        if place not in self._ways:
            nodes = [node for step in self._upward(place) if (node := self._nodes.get(step))]
            site = next((shown(node.name) for node in nodes if node.datacenter), "")
            self._ways[place] = "".join(f"/{node.name}" for node in reversed(nodes)), site
        return self._ways[place]

    def _upward(self, place: str) -> Iterator[str]:
        """Yield a place and what is above it, whether we know it (any more) or not; the root left out."""
        for _ in range(IN_A_CYCLE):
            if place in {"", self._root}:
                return
            yield place
            node = self._nodes.get(place)
            place = node.above if node else ""
