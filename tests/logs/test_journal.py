"""Who reads a log is decided by the scripts alone: by lease, epoch and interest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.hostlog.candidates import Vicinity
from bot.hostlog.cursor import Cursor, Line
from bot.logs.journal import Denied, Elected, Journal, LogName, Place, Verdict, Want

LEASE, WANTED = timedelta(seconds=10), timedelta(seconds=30)
HERE = Place(Cursor(42, "line 41"), Vicinity((Line(41, "line 41"),), 0))


@pytest.fixture
def name(host):
    return LogName(host, "vpxa")


@pytest.fixture
def journal_of(store):
    return lambda owner: Journal(store, owner=owner, lease=LEASE, wanted=WANTED, kept=100)


@pytest.fixture
def one(journal_of):
    return journal_of("one")


@pytest.fixture
def other(journal_of):
    return journal_of("other")


async def entries(store, name):
    return [fields["text"] for _, fields in await store.xrange(f"{{cm}}:feed:{name.vcenter}:{name.host_name}:vpxa")]


async def test_nobody_reads_what_nobody_wants(one, name, skew_clock):
    assert await one.elect(name) is Denied.UNWANTED
    await one.want(name, Want.OPEN)
    assert isinstance(await one.elect(name), Elected)
    skew_clock(WANTED + timedelta(seconds=1))
    assert await one.elect(name) is Denied.UNWANTED


async def test_one_is_elected(one, other, name):
    await one.want(name, Want.OPEN)
    assert await one.elect(name) == Elected("1", Place(None, Vicinity()))
    assert await other.elect(name) is Denied.HELD


async def test_the_next_goes_on_where_the_last_one_was(one, other, name, store, skew_clock):
    await one.want(name, Want.OPEN)
    await one.elect(name)
    assert await one.deliver(name, "1", HERE, lines=[Line(40, "forty")]) is Verdict.GO_ON
    skew_clock(LEASE)
    assert await other.elect(name) == Elected("2", HERE)


async def test_the_past_reader_is_not_listened_to(one, other, name, store, skew_clock):
    await one.want(name, Want.OPEN)
    await one.elect(name)
    await one.deliver(name, "1", HERE, lines=[Line(40, "forty")])
    skew_clock(LEASE)
    await other.elect(name)
    late = Place(Cursor(99, "x"), Vicinity())
    assert await one.deliver(name, "1", late, lines=[Line(98, "late")]) is Verdict.FENCED
    await one.release(name, "1")
    assert await one.elect(name) is Denied.HELD
    assert await entries(store, name) == ["forty"]
    skew_clock(2 * LEASE)
    assert (await one.elect(name)).place == HERE


async def test_delivering_renews_the_lease(one, other, name, skew_clock):
    await one.want(name, Want.OPEN)
    await one.elect(name)
    for seconds in (6, 12, 18):
        skew_clock(timedelta(seconds=seconds))
        assert await one.deliver(name, "1", HERE) is Verdict.GO_ON
        assert await other.elect(name) is Denied.HELD


async def test_a_release_lets_the_next_one_in(one, other, name):
    await one.want(name, Want.OPEN)
    await one.elect(name)
    await one.release(name, "1")
    assert isinstance(await other.elect(name), Elected)


async def test_epochs_never_fall(one, name, skew_clock):
    for round_ in range(1, 4):
        await one.want(name, Want.OPEN)
        assert (await one.elect(name)).epoch == str(round_)
        skew_clock(round_ * 2 * WANTED)


async def test_a_log_stands_when_its_reader_has_a_place(one, name, skew_clock):
    assert not (await one.want(name, Want.OPEN)).stands
    await one.elect(name)
    assert not (await one.want(name, Want.OPEN)).stands
    await one.deliver(name, "1", HERE)
    assert (await one.want(name, Want.OPEN)).stands
    skew_clock(LEASE)
    assert not (await one.want(name, Want.STAY)).stands


async def test_after_a_pause_a_log_is_begun_anew(one, name, skew_clock):
    await one.want(name, Want.OPEN)
    await one.elect(name)
    await one.deliver(name, "1", HERE)
    skew_clock(WANTED + timedelta(seconds=1))
    assert not (await one.want(name, Want.OPEN)).stands
    assert await one.elect(name) == Elected("2", Place(None, Vicinity()))


async def test_whoever_stays_loses_no_place(one, name, skew_clock):
    await one.want(name, Want.OPEN)
    await one.elect(name)
    await one.deliver(name, "1", HERE)
    skew_clock(WANTED + timedelta(seconds=1))
    assert await one.deliver(name, "1", HERE) is Verdict.UNWANTED
    await one.want(name, Want.STAY)
    assert (await one.elect(name)).place == HERE


async def test_blindness_is_remembered_until_it_ends(one, name, skew_clock):
    await one.want(name, Want.OPEN)
    await one.elect(name)
    blind = Place(None, Vicinity(), "no right")
    await one.deliver(name, "1", blind, gap="no right")
    skew_clock(timedelta(seconds=5))
    standing = await one.want(name, Want.OPEN)
    assert (standing.stands, standing.blind) == (True, "no right")
    assert timedelta(seconds=5) <= standing.blind_for < timedelta(seconds=8)
    assert (await one.elect(name)).place == blind
    await one.deliver(name, "2", HERE)
    assert (await one.want(name, Want.OPEN)).blind == ""


@pytest.mark.parametrize("mark", [None, "", "=", "x = y"])
async def test_every_mark_comes_back_as_it_was(one, name, mark):
    await one.want(name, Want.OPEN)
    await one.elect(name)
    place = Place(Cursor(7, mark), Vicinity((Line(5, 'quo"te'), Line(6, "ünï\n")), 2))
    await one.deliver(name, "1", place)
    assert (await one.elect(name)).place == place


async def test_the_stream_is_trimmed(one, name, store):
    await one.want(name, Want.OPEN)
    await one.elect(name)
    for begin in range(0, 1000, 50):
        await one.deliver(name, "1", HERE, lines=[Line(n, f"line {n}") for n in range(begin, begin + 50)])
    kept = await entries(store, name)
    assert 100 <= len(kept) < 400
    assert kept[-1] == "line 999"
