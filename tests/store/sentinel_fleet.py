"""A primary, its replicas and three sentinels as real processes, for tests that take the primary away.

::

    with sentinel_fleet(folder) as fleet:      # ready: replicas in step, sentinels agreed
        connect(fleet.url)
        dead = fleet.kill_primary()            # SIGKILL; returns at once
        fleet.wait_for_failover(dead)          # a majority of the sentinels names another one, and it takes writes
        fleet.bring_back(dead)                 # as a replica, in step when this returns

Call it from the main thread: on Linux every process ends with the thread that started it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

from redis.exceptions import RedisError

from tests.store.processes import Server, free_ports, on_free_ports, until, valkey

MASTER: Final = "cm"
DOWN_AFTER: Final = timedelta(seconds=2)  # a busy machine may well be silent for one
SENTINELS: Final = 3


class SentinelFleet:
    """See the module's head. `options` are words for the command line of every Valkey."""

    def __init__(
        self, folder: Path, *, replicas: int = 1, down_after: timedelta = DOWN_AFTER, options: Sequence[str] = ()
    ) -> None:
        self._folder = folder
        self._down_after = down_after
        ports = free_ports(1 + replicas + SENTINELS)
        self.servers = [valkey(folder / f"valkey-{port}", port, *options) for port in ports[: 1 + replicas]]
        self.sentinels = [self._sentinel(port) for port in ports[1 + replicas :]]

    @property
    def url(self) -> str:
        """What `bot.store.client.connect` takes."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{MASTER}/0"

    @property
    def primary(self) -> Server:
        """Whom a majority of the sentinels names. AssertionError when they do not agree."""
        named = self._named()
        assert named is not None, "the sentinels do not agree"
        return named

    @property
    def replicas(self) -> list[Server]:
        """All Valkeys but the primary, dead ones too."""
        return [server for server in self.servers if server is not self.primary]

    def start(self) -> Self:
        """Returns when the replicas are in step and every sentinel knows them and one another."""
        first, *others = self.servers
        first.start()
        for server in others:
            server.start("--replicaof", "127.0.0.1", str(first.port))
        self.wait_until_in_step(first)
        self._write_configurations(first)
        for sentinel in self.sentinels:
            sentinel.start()
        until(lambda: all(self._complete(sentinel) for sentinel in self.sentinels), what="the sentinels know all")
        return self

    def stop(self) -> None:
        """End all processes; what they wrote stays."""
        for server in (*self.sentinels, *self.servers):
            server.kill()

    def kill_primary(self) -> Server:
        """SIGKILL to the primary, which is returned. Nothing is waited for."""
        primary = self.primary
        primary.kill()
        return primary

    def wait_for_failover(self, old: Server) -> Server:
        """The new primary, once a majority of the sentinels names it and it takes writes."""

        def another() -> Server | None:
            named = self._named()
            return named if named not in (None, old) and named.ask("ROLE")[0] == "master" else None

        found = until(another, within=timedelta(seconds=60), what=f"another primary than {old.port}")
        assert found
        return found

    def bring_back(self, server: Server) -> None:
        """Start one that was killed, as a replica. Returns when it is in step."""
        primary = self.primary
        server.start("--replicaof", "127.0.0.1", str(primary.port))
        self.wait_until_in_step(primary)

    def wait_until_in_step(self, primary: Server | None = None) -> None:
        """Every live replica follows the primary and has all it has written."""
        leader = primary or self.primary
        alive = [one for one in self.servers if one is not leader and one.process and one.process.poll() is None]
        until(lambda: leader.ask("SET", "in-step", "1") and leader.ask("WAIT", len(alive), 100) >= 0, what="a write")
        until(lambda: _in_step(leader) >= len(alive), what=f"{len(alive)} replicas in step with {leader.port}")
        leader.ask("DEL", "in-step")

    def _named(self) -> Server | None:
        votes: list[int] = []
        for sentinel in self.sentinels:
            try:
                votes.append(int(sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)[1]))
            except (RedisError, OSError, TypeError):
                continue
        elected = next((port for port in votes if votes.count(port) > SENTINELS // 2), None)
        return next((server for server in self.servers if server.port == elected), None)

    def _sentinel(self, port: int) -> Server:
        folder = self._folder / f"sentinel-{port}"
        return Server(folder, port, (str(folder / "sentinel.conf"), "--sentinel"))

    def _write_configurations(self, primary: Server) -> None:
        """Peers and replicas are written in, because sentinels take seconds to find them by themselves."""
        identities = {
            s.port: hashlib.sha1(str(s.port).encode(), usedforsecurity=False).hexdigest() for s in self.sentinels
        }
        for sentinel in self.sentinels:
            lines = [
                f"port {sentinel.port}",
                "bind 127.0.0.1",
                f"dir {sentinel.folder}",
                f"sentinel myid {identities[sentinel.port]}",
                f"sentinel monitor {MASTER} 127.0.0.1 {primary.port} {SENTINELS // 2 + 1}",
                f"sentinel down-after-milliseconds {MASTER} {round(self._down_after.total_seconds() * 1000)}",
                f"sentinel failover-timeout {MASTER} 5000",
                f"sentinel parallel-syncs {MASTER} 1",
            ]
            lines += [
                f"sentinel known-replica {MASTER} 127.0.0.1 {server.port}"
                for server in self.servers
                if server is not primary
            ]
            lines += [
                f"sentinel known-sentinel {MASTER} 127.0.0.1 {peer.port} {identities[peer.port]}"
                for peer in self.sentinels
                if peer is not sentinel
            ]
            sentinel.folder.mkdir(parents=True, exist_ok=True)
            (sentinel.folder / "sentinel.conf").write_text("\n".join([*lines, ""]))

    def _complete(self, sentinel: Server) -> bool:
        flat = sentinel.ask("SENTINEL", "MASTER", MASTER)
        known = flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))
        replicas, peers = int(known["num-slaves"]), int(known["num-other-sentinels"])
        return replicas >= len(self.servers) - 1 and peers >= SENTINELS - 1 and "down" not in str(known["flags"])


def sentinel_fleet(
    folder: Path, *, replicas: int = 1, down_after: timedelta = DOWN_AFTER, options: Sequence[str] = ()
) -> AbstractContextManager[SentinelFleet]:
    """A fleet that is ready, and is stopped at the end."""
    return on_free_ports(lambda: SentinelFleet(folder, replicas=replicas, down_after=down_after, options=options))


def _in_step(primary: Server) -> int:
    """How many replicas have all that the primary has written."""
    about = primary.info("replication")
    states = [about[f"slave{number}"] for number in range(int(about["connected_slaves"]))]
    return sum(state["state"] == "online" and state["offset"] >= about["master_repl_offset"] for state in states)
