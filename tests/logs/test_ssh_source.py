"""Logs over SSH from a real sshd, with the tools of this machine and with busybox, as ESXi has it."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.logs.patience import Pauses
from bot.logs.shelf import CUT, LOST
from bot.logs.ssh import SshSource
from tests.fixtures_sshd import processes_with
from tests.logs.rotating import HOST, Rotating, Taker

LOOK = timedelta(milliseconds=100)
SETTLE = timedelta(milliseconds=50)
PAUSES = Pauses(first=timedelta(milliseconds=20), most=timedelta(milliseconds=50), refused=timedelta(milliseconds=50))


@pytest.fixture(params=["ours", "busybox"])
def host(request, make_sshd):
    return make_sshd(path=request.getfixturevalue("busybox_path")) if request.param == "busybox" else make_sshd()


def source_of(*hosts, shell=None):
    """Every host's key is its folder's name."""
    address = {HostKey(f"east/{host.directory.name}"): host.address for host in hosts}
    only = hosts[0]
    return SshSource(
        shell or only.shell(),
        addresses=lambda key: address.get(key, only.address),
        folder=str(only.folder),
        look=LOOK,
        settle=SETTLE,
        pauses=PAUSES,
    )


@pytest.fixture
async def taker(host):
    taker = Taker(source_of(host))
    yield taker
    await taker.stop()


async def until_running(text, *, running):
    """Wait until something runs that has this in its command line, or nothing any more."""
    async with asyncio.timeout(10):
        while bool(processes_with(text)) is not running:
            await asyncio.sleep(0.02)


async def test_lines_come_from_the_end_on_and_nothing_stays_behind_on_the_host(host, taker):
    log = Rotating(host.folder)
    log.write(50)
    await taker.start()
    lines = log.write(3)
    await taker.until_lines(lines)
    assert (taker.lines, taker.gaps, taker.source.kind) == (lines, [], SourceKind.SSH)
    await until_running(str(log.path), running=True)
    await taker.stop()
    await until_running(str(log.path), running=False)


async def test_a_half_written_line_comes_once_and_whole(host, taker):
    log = Rotating(host.folder)
    log.write()
    await taker.start()
    first = log.write()
    log.write_half()
    half = log.written[-1]
    await taker.until_lines(first)
    host.kill_sessions()
    log.finish()
    lines = [*first, half, *log.write()]
    await taker.until_lines(lines)
    assert (taker.lines, taker.gaps) == (lines, [])


async def test_a_rotation_while_it_is_read_loses_nothing(host, taker):
    log = Rotating(host.folder)
    log.write(2)
    await taker.start()
    begun = len(log.written)
    for _ in range(2):
        log.write(30)
        log.rotate()  # at once after a write: tail has had no time to read that
        log.write(2)
        await taker.until_lines(log.written[begun:])
    assert (taker.lines, taker.gaps) == (log.written[begun:], [])


async def test_restarts_and_rotations_in_a_break_lose_nothing(host, taker):
    log = Rotating(host.folder)
    log.write(2)
    await taker.start()
    begun = len(log.written)
    log.write(2)
    await taker.until_lines(log.written[begun:])
    await taker.stop()
    for _ in range(3):
        log.write(2)
        log.rotate()
    log.write(2)
    await taker.start()
    await taker.until_lines(log.written[begun:])
    assert (taker.lines, taker.gaps) == (log.written[begun:], [])


async def test_a_session_that_is_killed_is_opened_again_without_a_word(host, taker):
    log = Rotating(host.folder)
    log.write(2)
    await taker.start()
    begun = len(log.written)
    assert host.kill_sessions()
    log.write(2)
    await taker.until_lines(log.written[begun:])
    assert (taker.lines, taker.gaps) == (log.written[begun:], [])
    assert host.sessions() == 1


async def test_what_was_started_ends_when_its_session_is_killed(host, taker):
    log = Rotating(host.folder)
    log.write(2)
    await taker.start()
    await until_running(str(log.path), running=True)
    host.go_down()
    await until_running(str(log.path), running=False)
    host.come_up()


async def test_a_gap_is_told_once_for_a_whole_break_and_nothing_is_lost(host, taker):
    log = Rotating(host.folder)
    log.write(2)
    await taker.start()
    begun = len(log.written)
    host.go_down()
    await taker.until(lambda: taker.gaps)
    log.write(2)
    log.rotate()
    log.write(2)
    host.come_up()
    await taker.until_lines(log.written[begun:])
    assert taker.lines == log.written[begun:]
    (gap,) = taker.gaps
    assert "TSM-SSH" in gap


async def test_a_log_that_was_rotated_away_is_a_gap(sshd):
    log = Rotating(sshd.folder, kept=1)
    log.write(2)
    taker = Taker(source_of(sshd))
    await taker.start()
    await taker.stop()
    for _ in range(3):
        log.write(2)
        log.rotate()
    lines = log.write(2)
    await taker.start()
    await taker.until_lines(lines)
    await taker.stop()
    assert (taker.lines, taker.gaps) == (lines, [LOST])


async def test_a_log_that_is_cut_while_it_is_read_goes_on_and_says_so(host, taker):
    log = Rotating(host.folder, style="copytruncate")
    log.write(200)
    await taker.start()
    log.rotate()
    lines = log.write(3)
    await taker.until(lambda: taker.lines[-3:] == lines)
    more = log.write(2)
    await taker.until(lambda: taker.lines[-2:] == more)
    assert taker.lines == lines + more


async def test_a_log_that_is_not_there_is_told_and_read_from_its_start_later(host, taker):
    await taker.start()
    await taker.until(lambda: taker.gaps)
    lines = Rotating(host.folder).write(3)
    await taker.until_lines(lines)
    assert taker.lines == lines
    (gap,) = taker.gaps
    assert "There is no" in gap


async def test_a_changed_host_key_is_told_and_nothing_is_read(sshd):
    log = Rotating(sshd.folder)
    log.write()
    sshd.renew_host_key()
    taker = Taker(source_of(sshd))
    await taker.start()
    assert "shows another host key" in taker.gaps[0]
    await taker.stop()
    assert taker.lines == []


async def test_one_dead_host_harms_no_other_and_logs_share_a_connection(make_sshd):
    good, dead = make_sshd("good"), make_sshd("dead")
    logs = [Rotating(good.folder, name) for name in ("vpxa", "hostd", "vmkernel")]
    for log in logs:
        log.write()
    dead.go_down()
    source = source_of(good, dead)
    lost = Taker(source, host=HostKey("east/dead"))
    takers = [Taker(source, log=log.name, host=HostKey("east/good")) for log in logs]
    await asyncio.gather(lost.start(), *(taker.start() for taker in takers))
    assert lost.gaps
    for log, taker in zip(logs, takers, strict=True):
        lines = log.write(2)
        await taker.until_lines(lines)
        assert (taker.lines, taker.gaps) == (lines, [])
    assert good.sessions() == 1
    await asyncio.gather(*(taker.stop() for taker in (lost, *takers)))
    dead.come_up()


@pytest.mark.parametrize("name", ["../etc/passwd", "vpxa;reboot", "$(reboot)", "-F", "VPXA", ""])
async def test_a_log_is_a_plain_name_before_a_shell_sees_it(sshd, name):
    taker = Taker(source_of(sshd), log=name)
    await taker.start()
    assert "is no name of a log" in taker.gaps[0]
    await taker.stop()
    assert sshd.sessions() == 0


@pytest.mark.parametrize("seed", range(2))
async def test_nothing_is_lost_or_twice_whatever_happens_when(host, taker, seed):
    dice = random.Random(seed)
    log = Rotating(host.folder, kept=12)
    log.write(3)
    await taker.start()
    begun = len(log.written)
    for step in range(80):
        match dice.choice(["write", "write", "half", "rotate", "kill", "restart", "wait"]):
            case "write":
                log.write(dice.choice([1, 2, 30]))
            case "half":
                log.write_half()
            case "rotate" if dice.random() < 0.4:
                log.rotate()
                log.write(1)
            case "kill" if dice.random() < 0.4:
                host.kill_sessions()
            case "restart" if dice.random() < 0.3:
                await taker.stop()
                log.write(1)
                await taker.start()
            case _:
                await asyncio.sleep(dice.random() * 0.02)
        if step % 20 == 19:
            log.write(1)
            await taker.until_lines(log.written[begun:])
    assert taker.lines == log.written[begun:]
    assert not {LOST, CUT} & set(taker.gaps)  # two kills in a row may be told, but nothing was lost


async def test_once_gives_what_was_written_lately(host):
    log = Rotating(host.folder)
    log.write(30)
    log.rotate()
    log.write(3)
    source = source_of(host)
    found = [line.text async for batch in source.once(HOST, "vpxa", since=timedelta(hours=1)) for line in batch.lines]
    assert found == log.written
