"""A durable change is not answered before replicas and disks have it. The replica is frozen, not imagined."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import BugError, UnconfirmedError, UnreachableError
from bot.store import keys
from bot.store.client import connect
from bot.store.scripts import Script
from tests.store.processes import free_ports, on_free_ports, until, valkey

ONCE = Script("if redis.call('SETNX', KEYS[1] .. ':test', ARGV[1]) == 1 then return 'made' end return 'was there'")


class Pair:
    """A primary and its replica, without sentinels."""

    def __init__(self, folder):
        first, second = free_ports(2)
        self.primary, self.replica = valkey(folder / "a", first), valkey(folder / "b", second)

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.primary.port}"

    def start(self):
        self.primary.start()
        self.replica.start("--replicaof", "127.0.0.1", str(self.primary.port))
        until(lambda: self.primary.ask("WAIT", 1, 100) == 1, what="the replica follows")
        until(lambda: "state=online" in self._line(), what="it is in step")

    def _line(self):
        state = self.primary.info("replication").get("slave0", {})
        return ",".join(f"{name}={value}" for name, value in state.items())

    def stop(self):
        self.primary.kill()
        self.replica.kill()


@pytest.fixture
def pair(tmp_path):
    with on_free_ports(lambda: Pair(tmp_path)) as pair:
        yield pair


async def test_a_durable_change_waits_for_its_replica_and_a_common_one_does_not(pair):
    async with connect(pair.url, confirm_replicas=1) as store:
        assert await ONCE(store, "v", durable=True) == "made"
        assert pair.replica.ask("GET", f"{keys.SCHEMA}:test") == "v"
        pair.replica.freeze()
        assert await ONCE(store, "v") == "was there"
        with pytest.raises(UnconfirmedError, match=r"made the change, but only 0 of 1 replicas .* does no harm") as no:
            await ONCE(store, "v", durable=True, repeatable=True)
        assert no.value.transient
        pair.replica.thaw()
        assert await ONCE(store, "v", durable=True, repeatable=True) == "was there"


async def test_asking_again_does_not_pass_for_a_confirmation_although_it_writes_nothing(pair):
    pair.replica.freeze()
    async with connect(pair.url, confirm_replicas=1) as store:
        with pytest.raises(UnconfirmedError):
            await ONCE(store, "v", durable=True)
    async with connect(pair.url, confirm_replicas=1) as anew:  # a connection that has written nothing yet
        with pytest.raises(UnconfirmedError):
            await ONCE(anew, "v", durable=True, repeatable=True)


async def test_a_script_that_redis_forgot_is_confirmed_all_the_same(pair):
    async with connect(pair.url, confirm_replicas=1) as store:
        await store.script_flush()
        assert await ONCE(store, "v", durable=True) == "made"
        assert pair.replica.ask("GET", f"{keys.SCHEMA}:test") == "v"
        await store.script_flush()
        pair.replica.freeze()
        with pytest.raises(UnconfirmedError):
            await ONCE(store, "v", durable=True)


async def test_disks_are_waited_for_on_both_machines(pair):
    async with connect(pair.url, confirm_replicas=1, confirm_disk=True) as store:
        assert await ONCE(store, "v", durable=True) == "made"
        pair.primary.kill()
        pair.replica.kill()
        pair.primary.start()
        assert await store.text(f"{keys.SCHEMA}:test") == "v"


async def test_a_primary_that_is_demoted_while_it_waits_has_confirmed_nothing(pair):
    pair.replica.freeze()
    async with connect(pair.url, confirm_replicas=1) as store:
        await store.ping()
        asked = asyncio.ensure_future(ONCE(store, "v", durable=True, repeatable=True))
        await asyncio.to_thread(until, lambda: pair.primary.info("clients")["blocked_clients"], what="it waits")
        pair.primary.ask("REPLICAOF", "127.0.0.1", pair.replica.port)
        with pytest.raises(UnreachableError, match="is a replica and takes no writes"):
            await asked


@pytest.mark.parametrize("replicas", [0, 1])
async def test_a_disk_that_is_not_written_cannot_be_waited_for(pair, replicas):
    server = pair.primary if replicas == 0 else pair.replica
    server.ask("CONFIG", "SET", "appendonly", "no")
    async with connect(pair.url, confirm_replicas=replicas, confirm_disk=True) as store:
        with pytest.raises(UnconfirmedError, match=r"appendonly is disabled|not known to be on disk"):
            await ONCE(store, "v", durable=True)


async def test_what_is_refused_is_not_called_unconfirmed(pair):
    refused = Script("return redis.error_reply('NOREPLICAS for a test')")
    async with connect(pair.url, confirm_replicas=1) as store:
        with pytest.raises(Exception, match="takes no writes") as error:
            await refused(store, durable=True)
        assert not isinstance(error.value, UnconfirmedError)


@pytest.mark.parametrize(
    ("url", "asked", "replicas"),
    [
        ("redis://h", None, 0),
        ("redis+cluster://h", None, 0),
        ("redis+sentinel://h/m", None, 1),
        ("redis+sentinel://h/m", 0, 0),
        ("redis+sentinel://h/m", 2, 2),
        ("unix:///s", 1, 1),
    ],
)
async def test_where_sentinels_watch_one_replica_confirms_unless_told_otherwise(url, asked, replicas):
    async with connect(url, confirm_replicas=asked) as store:
        assert (store.durability.replicas, store.durability.disk) == (replicas, False)
        assert store.durability.wanted is bool(replicas)


async def test_durable_changes_of_one_turn_are_confirmed_together_or_not_at_all(pair):
    async def change(name):
        return await ONCE(store, name, repeatable=True, durable=True, together=True)

    async with connect(pair.url, confirm_replicas=1) as store:
        await change("v")
        before = pair.primary.info("stats")["total_reads_processed"]
        assert await asyncio.gather(*(change("v") for _ in range(50))) == ["was there"] * 50
        assert int(pair.primary.info("stats")["total_reads_processed"]) - int(before) < 15
        pair.replica.freeze()
        said = await asyncio.gather(*(change("v") for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in said] == [UnconfirmedError] * 3
        pair.replica.thaw()
        assert await change("v") == "was there"


async def test_who_is_refused_among_durable_changes_is_refused_alone(pair):
    refused = Script("return redis.error_reply('ERR no such thing')")
    async with connect(pair.url, confirm_replicas=1) as store:
        asked = [script(store, "v", repeatable=True, durable=True, together=True) for script in (ONCE, refused, ONCE)]
        first, second, third = await asyncio.gather(*asked, return_exceptions=True)
        assert (first, third) == ("made", "was there")
        assert isinstance(second, BugError)
