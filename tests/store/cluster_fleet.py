"""A cluster of three real nodes, each with a third of the slots, for tests that move our slot or take its owner away.

Call it from the main thread: on Linux every process ends with the thread that started it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

from bot.store.following import OUR_SLOT
from tests.store.processes import Server, free_ports, on_free_ports, until, valkey

NODES: Final = 3
SLOTS: Final = 16384
SILENT_FOR: Final = timedelta(seconds=3)


class ClusterFleet:
    """Three nodes that own slots, and one replica of each of the first `replicas` of them."""

    def __init__(self, folder: Path, *, replicas: int = 0) -> None:
        ports = free_ports(2 * (NODES + replicas))
        pairs = list(zip(ports[::2], ports[1::2], strict=True))
        silent = str(round(SILENT_FOR.total_seconds() * 1000))
        self._made = [
            valkey(
                folder / f"node-{port}",
                port,
                *("--cluster-enabled", "yes", "--cluster-port", str(bus), "--cluster-node-timeout", silent),
            )
            for port, bus in pairs
        ]
        self.nodes, self._spare = self._made[:NODES], self._made[NODES:]

    @property
    def url(self) -> str:
        """What `bot.store.client.connect` takes: all nodes but the owner, so that it has to be asked for."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes if node is not self.owner)

    @property
    def owner(self) -> Server:
        """Who has our slot, by its own word."""
        found = [node for node in self._made if node.alive and self._says(node, node) == "owner"]
        assert len(found) == 1, found
        return found[0]

    def start(self) -> Self:
        """Returns when every node thinks that the cluster is whole."""
        for number, node in enumerate(self._made):
            node.start()
            if number < NODES:
                first, last = SLOTS * number // NODES, SLOTS * (number + 1) // NODES - 1
                node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
                node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self._made[1:]:
            self._made[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port, self._bus(node))
        until(lambda: all(self._whole(node) for node in self._made), what="the cluster is whole")
        for spare, original in zip(self._spare, self._owner_first(), strict=False):
            name = self.name(original)
            until(lambda spare=spare, name=name: spare.ask("CLUSTER", "REPLICATE", name), what="a replica")
            until(lambda spare=spare: spare.info("replication").get("master_link_status") == "up", what="in step")
        return self

    def stop(self) -> None:
        """End all processes."""
        for node in self._made:
            node.kill()

    def name(self, node: Server) -> str:
        """What the cluster calls this node."""
        return str(node.ask("CLUSTER", "MYID"))

    def move_slot(self, to: Server) -> None:
        """Our slot with all that is in it, as a whole (Valkey 9). Returns when every node knows."""
        self.owner.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", OUR_SLOT, OUR_SLOT, "NODE", self.name(to))
        until(lambda: all(self._says(to, node) == "owner" for node in self.nodes), what="all know the new owner")

    def half_move_slot(self, to: Server) -> None:
        """As older tools begin it: from now on the owner sends away whoever asks for what it does not have."""
        owner = self.owner
        to.ask("CLUSTER", "SETSLOT", OUR_SLOT, "IMPORTING", self.name(owner))
        owner.ask("CLUSTER", "SETSLOT", OUR_SLOT, "MIGRATING", self.name(to))

    def leave_slot(self, to: Server) -> None:
        """The half-begun move is called off."""
        for node in (to, self.owner):
            node.ask("CLUSTER", "SETSLOT", OUR_SLOT, "STABLE")

    def wait_for_failover(self, dead: Server) -> Server:
        """The owner of our slot after this one died, once it takes writes."""

        def another() -> Server | None:
            for node in self._made:
                if node is not dead and self._says(node, node) == "owner" and self._whole(node):
                    return node
            return None

        found = until(another, what="another owner")
        assert found
        return found

    def _owner_first(self) -> list[Server]:
        return [self.owner, *(node for node in self.nodes if node is not self.owner)]

    def _bus(self, node: Server) -> str:
        return node.arguments[node.arguments.index("--cluster-port") + 1]

    def _whole(self, node: Server) -> bool:
        about = node.ask("CLUSTER", "INFO")
        text = about if isinstance(about, str) else "\n".join(f"{name}:{value}" for name, value in about.items())
        return "cluster_state:ok" in text and f"cluster_known_nodes:{len(self._made)}" in text

    def _says(self, subject: Server, asked: Server) -> str:
        """What one node says of another: `owner` of our slot, or nothing."""
        for first, last, primary, *_ in _slots(asked):
            if first <= OUR_SLOT <= last and int(primary[1]) == subject.port:
                return "owner"
        return ""


def cluster_fleet(folder: Path, *, replicas: int = 0) -> AbstractContextManager[ClusterFleet]:
    """A cluster that is whole, and is stopped at the end. With one replica, the owner of our slot has it."""
    return on_free_ports(lambda: ClusterFleet(folder, replicas=replicas))


def _slots(node: Server) -> list[list[object]]:
    with node.client() as client:
        client.response_callbacks.clear()
        found: list[list[object]] = client.execute_command("CLUSTER SLOTS")
        return found
