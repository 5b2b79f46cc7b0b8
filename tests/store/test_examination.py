"""What is said of a Redis: of real ones that are set wrong, and of what they would say that cannot be had here."""

from __future__ import annotations

import pytest

from bot.finding import Verdict
from bot.store import embedded
from bot.store.client import connect
from bot.store.durability import Durability
from bot.store.examination import CHECKS, Facts, dangers, examine, judge
from bot.store.schema import check_schema
from tests.store.processes import free_ports, on_free_ports, until, valkey

OK, WARNING, ERROR = Verdict.OK, Verdict.WARNING, Verdict.ERROR
GOOD = {
    "redis_version": "7.2.4",
    "role": "master",
    "maxmemory_policy": "noeviction",
    "used_memory": 1_000_000,
    "maxmemory": 0,
    "aof_enabled": 1,
    "connected_slaves": 2,
    "slave0": {"state": "online"},
    "slave1": {"state": "online"},
}
CONFIG = {
    "appendfsync": "everysec",
    "min-replicas-to-write": "1",
    "maxmemory-policy": "noeviction",
    "appendonly": "yes",
}
ONE = Durability(replicas=1)


def facts(*, info=None, config=None, readable=True, **more):
    return Facts(info={**GOOD, **(info or {})}, config={**CONFIG, **(config or {})} if readable else None, **more)


def found(given):
    """What is not well: the name of each check, and how bad it is."""
    return {one.about.removeprefix("redis."): one.verdict for one in judge(given) if one.verdict is not OK}


def test_nothing_is_said_against_what_is_as_it_should_be():
    assert found(facts(durability=ONE, sentinel=True)) == {}
    assert len({one.about for one in judge(facts())}) == len(CHECKS)
    assert not any(one.do for one in judge(facts()))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (facts(info={"redis_version": "6.0.16"}), {"version": ERROR}),
        (facts(info={"redis_version": "6.2.0"}), {}),
        (facts(info={"redis_version": ""}), {"version": WARNING}),
        (facts(info={"redis_version": "7.0.15"}, durability=Durability(disk=True)), {"version": ERROR}),
        (facts(durability=Durability(disk=True)), {}),
        (facts(info={"role": "slave"}), {"role": ERROR}),
        (facts(config={"maxmemory-policy": "allkeys-lru"}), {"eviction": ERROR}),
        (facts(info={"maxmemory_policy": "volatile-ttl"}, readable=False)
         , {"eviction": ERROR, "appendfsync": WARNING, "min-replicas": WARNING}),
        (facts(info={"maxmemory": 2_000_000}), {}),
        (facts(info={"maxmemory": 1_200_000}), {"memory": WARNING}),
        (facts(info={"maxmemory": 1_040_000}), {"memory": ERROR}),
        (facts(info={"aof_enabled": 0}, config={"appendonly": "no"}), {"appendonly": WARNING}),
        (facts(info={"aof_enabled": 0}, config={"appendonly": "no"}, durability=Durability(disk=True))
         , {"appendonly": ERROR}),
        (facts(info={"aof_last_write_status": "err"}), {"appendonly": ERROR}),
        (facts(config={"appendfsync": "no"}), {"appendfsync": WARNING}),
        (facts(config={"appendfsync": "always"}), {}),
        (facts(info={"connected_slaves": 0}), {"replicas": WARNING}),
        (facts(info={"connected_slaves": 0}, durability=ONE), {"replicas": ERROR}),
        (facts(info={"slave0": {"state": "wait_bgsave"}, "slave1": {"state": "send_bulk"}}, durability=ONE)
         , {"replicas": ERROR}),
        (facts(info={"connected_slaves": 1}, durability=ONE, sentinel=True), {"replicas": WARNING}),
        (facts(info={"connected_slaves": 1}, durability=ONE), {}),
        (facts(config={"min-replicas-to-write": "0"}), {"min-replicas": WARNING}),
        (facts(config={"min-replicas-to-write": "0"}, info={"connected_slaves": 0}), {"replicas": WARNING}),
        (facts(schema="1"), {"schema": WARNING}),
        (facts(schema="2"), {}),
        (facts(schema="3"), {"schema": ERROR}),
        (facts(skew="-3600000"), {"clock": ERROR}),
        (facts(skew="nonsense"), {"clock": ERROR}),
        (Facts(), {"version": WARNING, "eviction": WARNING, "appendonly": WARNING, "appendfsync": WARNING
                   , "replicas": WARNING}),
    ],
)  # fmt: skip
def test_each_danger_is_named_and_nothing_else(given, expected):
    assert found(given) == expected
    assert all(one.do for one in judge(given) if one.verdict is not OK)


async def test_a_real_one_that_is_set_wrong(tmp_path):
    with embedded.start(tmp_path) as server:
        async with connect(server.url) as store:
            await check_schema(store)
            assert {one.about: one.verdict for one in await examine(store) if one.verdict is not OK} == {
                "redis.replicas": WARNING
            }
            assert await dangers(store) == []
            await store.config_set("maxmemory-policy", "allkeys-random")
            await store.config_set("appendfsync", "no")
            await store.config_set("appendonly", "no")
            await store.config_set("maxmemory", "1000")
            wrong = {one.about: one.verdict for one in await dangers(store)}
    assert wrong == {
        "redis.eviction": ERROR,
        "redis.memory": ERROR,
        "redis.appendonly": WARNING,
        "redis.appendfsync": WARNING,
    }


async def test_where_config_is_forbidden_that_is_said_and_info_is_used(tmp_path):
    with embedded.start(tmp_path) as server:
        async with connect(server.url) as store:
            await store.config_set("maxmemory-policy", "volatile-lru")
            await store.acl_setuser(
                "managed", enabled=True, nopass=True, keys=["*"], categories=["+@all"], commands=["-config"]
            )
        async with connect(server.url.replace("unix://", "unix://managed:x@")) as store:
            told = {one.about: one for one in await examine(store)}
            assert [one.about for one in await dangers(store)] == ["redis.eviction"]
    assert "volatile-lru" in told["redis.eviction"].says
    assert "does not let us read its CONFIG" in told["redis.appendfsync"].says
    assert "appendfsync is everysec or always" in told["redis.appendfsync"].do


async def test_real_replicas_are_counted_and_a_replica_is_known(tmp_path):
    class Pair:
        def __init__(self):
            one, other = free_ports(2)
            self.primary, self.replica = valkey(tmp_path / "a", one), valkey(tmp_path / "b", other)

        def start(self):
            self.primary.start()
            self.replica.start("--replicaof", "127.0.0.1", str(self.primary.port))
            until(lambda: self.replica.info("replication")["master_link_status"] == "up", what="it follows")
            until(lambda: self.primary.info("replication")["slave0"]["state"] == "online", what="and is in step")

        def stop(self):
            self.primary.kill()
            self.replica.kill()

    with on_free_ports(Pair) as pair:
        async with connect(f"redis://127.0.0.1:{pair.primary.port}", confirm_replicas=1) as store:
            assert [one.about for one in await dangers(store)] == ["redis.min-replicas"]
            pair.primary.ask("CONFIG", "SET", "min-replicas-to-write", 1)
            assert await dangers(store) == []
        async with connect(f"redis://127.0.0.1:{pair.replica.port}") as store:
            assert "redis.role" in [one.about for one in await dangers(store)]


async def test_who_does_not_answer_is_the_only_finding(unused_tcp_port):
    async with connect(f"redis://:hunter2@127.0.0.1:{unused_tcp_port}") as store:
        (only,) = await examine(store)
    assert (only.about, only.verdict) == ("redis.reachable", ERROR)
    assert "does not answer" in only.says
    assert "hunter2" not in repr(only)
