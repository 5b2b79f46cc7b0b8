"""The health port: a stuck loop is found out, a missing Redis is not mistaken for one, and asking costs nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.errors import UnreachableError, UserError
from bot.health.lookout import Column, Family, Lookout, Need, Table
from bot.health.pulse import Pulse
from bot.health.server import PATHS, Health, serving
from tests.health.probes import ask, until

MOMENT = timedelta(seconds=0.05)


class Away:
    """Something outside that can be switched off, and counts how often it was asked."""

    def __init__(self) -> None:
        self.answers = True
        self.asked = 0

    async def __call__(self) -> bool:
        self.asked += 1
        if not self.answers:
            raise UnreachableError("redis.example.net does not answer")
        return True


@pytest.fixture
def health():
    lookout = Lookout(every=MOMENT, numbers_every=MOMENT, within=timedelta(seconds=1), lately=timedelta(seconds=0.4))
    return Health("worker", pulse=Pulse(every=MOMENT, stalled=timedelta(seconds=0.5)), lookout=lookout)


@pytest.fixture
def port(health):
    with serving(health, 0, address="127.0.0.1") as port:
        yield port


async def test_a_loop_that_is_really_blocked_fails_liveness_while_it_is_blocked(health, port):
    async with health.pulse.beating():
        assert (await until(port, "/livez", lambda told: told.status == 200)).body.startswith("the event loop turned")
        found_out = threading.Event()

        def watch():
            while ask(port, "/livez").status != 503 or ask(port, "/readyz").status != 503:
                pass
            found_out.set()

        watcher = threading.Thread(target=watch)
        watcher.start()
        assert found_out.wait(10)  # on the loop itself, which cannot turn meanwhile
        watcher.join()
        await until(port, "/livez", lambda told: told.status == 200)
        assert health.pulse.longest_lag > 0.4


async def test_a_need_that_goes_away_makes_it_unready_and_never_dead(health, port):
    redis = Away()
    async with health.pulse.beating():
        assert ask(port, "/startupz").status == 503
        assert ask(port, "/readyz").body == "not up yet\n"
        async with health.lookout.looking([Need("redis", redis)]):
            assert ask(port, "/startupz").status == 200
            await until(port, "/readyz", lambda told: told.status == 200)
            redis.answers = False
            told = await until(port, "/readyz", lambda told: told.status == 503)
            assert told.body == "redis: does not answer\n"  # and no address, no sentence from outside
            assert (await asyncio.to_thread(ask, port, "/livez")).status == 200
            redis.answers = True
            await until(port, "/readyz", lambda told: told.status == 200)
        assert (await asyncio.to_thread(ask, port, "/readyz")).body == "told to stop\n"


async def test_what_has_to_answer_once_may_go_away_afterwards(health, port):
    vcenter = Away()
    vcenter.answers = False
    async with health.pulse.beating(), health.lookout.looking([Need("vcenter east", vcenter, once=True)]):
        told = await until(port, "/readyz", lambda told: told.status == 503 and "vcenter" in told.body)
        assert told.body == "vcenter east: does not answer\n"
        vcenter.answers = True
        await until(port, "/readyz", lambda told: told.status == 200)
        vcenter.answers, asked = False, vcenter.asked
        await asyncio.sleep(0.6)  # longer than "lately": nothing may happen
        assert vcenter.asked == asked
        assert (await asyncio.to_thread(ask, port, "/readyz")).status == 200


async def test_a_question_that_hangs_is_given_up():
    asked_again = asyncio.Event()
    times = iter(range(9))

    async def hang() -> bool:
        if next(times):
            asked_again.set()
        await asyncio.Event().wait()
        return True

    lookout = Lookout(every=MOMENT, within=MOMENT, lately=MOMENT)
    async with lookout.looking([Need("redis", hang)]):
        await asyncio.wait_for(asked_again.wait(), 10)
        assert not lookout.ready


async def test_however_often_one_asks_nobody_else_is_asked(health, port):
    redis = Away()
    async with health.pulse.beating(), health.lookout.looking([Need("redis", redis)]):
        await until(port, "/readyz", lambda told: told.status == 200)
        before = redis.asked
        begun = asyncio.get_running_loop().time()
        await asyncio.gather(*(asyncio.to_thread(ask, port, path) for path in PATHS * 50))
        looks = (asyncio.get_running_loop().time() - begun) / MOMENT.total_seconds()
        assert redis.asked - before <= looks + 2


async def test_someone_who_connects_and_says_nothing_keeps_nobody_from_asking(health, port):
    async with health.pulse.beating():
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        try:
            async with asyncio.timeout(30):
                while (await asyncio.to_thread(ask, port, "/livez")).status != 200:
                    await asyncio.sleep(0.05)  # a machine that stood still for a moment is none of their doing
        finally:
            for one in silent:
                one.close()


async def test_numbers_are_prometheus_and_old_ones_are_left_out(health, port):
    redis = Away()

    async def jobs():
        await redis()
        return {"queued": 3, "attached": 1}

    async def holds():
        return {"": 2}

    families = [Family("jobs", "Live jobs.", jobs, label="state"), Family("holds", "Held.", holds)]
    health.tally.claims += 5
    async with health.pulse.beating(), health.lookout.looking([Need("redis", redis)], at=families):
        await until(port, "/metrics", lambda told: "coldmigrate_jobs{" in told.body and "_holds " in told.body)
        await until(port, "/readyz", lambda told: told.status == 200)
        found = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families((await asyncio.to_thread(ask, port, "/metrics")).body)
            for sample in family.samples
        }
        assert found["coldmigrate_jobs", ("state", "queued")] == 3
        assert found["coldmigrate_holds",] == 2
        assert found["coldmigrate_claims_total",] == 5
        assert found["coldmigrate_dependency_up", ("dependency", "redis")] == 1
        assert found["coldmigrate_ready",] == 1
        assert any(name[0] == "coldmigrate_build_info" and ("role", "worker") in name for name in found)
        assert ("process_resident_memory_bytes",) in found
        redis.answers = False
        await until(port, "/metrics", lambda told: "coldmigrate_jobs{" not in told.body)
        assert "coldmigrate_holds 2.0" in (await asyncio.to_thread(ask, port, "/metrics")).body


async def test_tables_have_a_sample_for_each_row_and_column(health, port):
    columns = (Column("watch_lines", "Lines.", counts=True), Column("watch_lag_seconds", "Lag."))
    rows = [(("east", 'esx-"1"'), (7, 0.5)), (("east", "esx-2"), (8, None))]
    table = Table(("vcenter", "host"), columns, lambda: rows)
    async with health.lookout.looking([], tables=[table]):
        told = await asyncio.to_thread(ask, port, "/metrics")
    found = {
        (sample.name, sample.labels["host"]): sample.value
        for family in text_string_to_metric_families(told.body)
        for sample in family.samples
        if "watch" in sample.name and not sample.name.endswith("_created")
    }
    assert found == {
        ("coldmigrate_watch_lines_total", 'esx-"1"'): 7,
        ("coldmigrate_watch_lines_total", "esx-2"): 8,
        ("coldmigrate_watch_lag_seconds", 'esx-"1"'): 0.5,
    }


def test_two_roles_in_one_process_share_nothing(health):
    other = Health("bot")
    other.tally.claims += 1
    assert b"coldmigrate_claims_total 1.0" in other.answer("/metrics")[2]
    assert b"coldmigrate_claims_total 0.0" in health.answer("/metrics")[2]


def test_other_paths_are_not_there(port):
    told = ask(port, "/")
    assert told.status == 404
    assert all(path in told.body for path in PATHS)


def test_a_port_that_is_taken_is_a_sentence(health, port):
    with pytest.raises(UserError, match=f"health port {port} cannot be opened"), serving(health, port):
        pass


def test_it_listens_on_every_address(health):
    with serving(health, 0) as port:
        assert ask(port, "/livez").status == 200
        if socket.has_ipv6:
            socket.create_connection(("::1", port), timeout=2).close()
