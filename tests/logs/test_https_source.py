"""Logs over the hosts' own HTTPS, from the player of ESXi: what is new is asked for, over rotations and refusals."""

from __future__ import annotations

import asyncio
import gzip
import random
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.logs.https import HttpsSource
from bot.logs.patience import Pauses
from bot.logs.shelf import LOST
from bot.playground.vcenter.certificates import Authority
from bot.ssh.port import Address
from tests.logs.rotating import Taker

NAME = "esx-site1-01.example.net"
OTHER = "esx-site1-02.example.net"
HOST = HostKey(f"east/{NAME}")
SOON = timedelta(milliseconds=5)
PAUSES = Pauses(first=SOON, most=SOON, refused=SOON)


class PlayedLog:
    """The vpxa log of a played host, and what was written to it."""

    def __init__(self, machine):
        self.machine = machine
        self.written = []

    def write(self, count=1):
        at = datetime.now(UTC)
        lines = [f"{at.isoformat()} info vpxa[1] [Originator@6876] {len(self.written) + n} ü" for n in range(count)]
        self.machine.logs.append("vpxa", lines, at=at)
        self.written += lines
        return lines

    def rotate(self):
        """The host writes a line of its own into the new file; within one millisecond it is always the same one."""
        self.machine.logs.rotate("vpxa", at=datetime.now(UTC))
        self.written += self.machine.logs.lines("vpxa")
        self.write()


@pytest.fixture
def machine(player):
    return player.machine(NAME)


@pytest.fixture(params=["ranges", "no ranges"])
def log(request, machine):
    machine.honours_ranges = request.param == "ranges"
    log = PlayedLog(machine)
    log.write(20)
    return log


@pytest.fixture
def make_source(player, machine):
    def make(**more):
        def address(host):
            url = urlsplit(player.host_url(host.partition("/")[2]))
            return Address(url.hostname, url.port)

        given = {"user": machine.account.user, "password": lambda: machine.account.password, "ca_file": player.ca_file}
        given |= {"addresses": address, "every": SOON, "settle": SOON, "pauses": PAUSES}
        return HttpsSource(**(given | more))

    return make


@pytest.fixture
async def take(make_source):
    takers = []

    def take(source=None, **more):
        takers.append(Taker(source or make_source(), **({"host": HOST} | more)))
        return takers[-1]

    yield take
    await asyncio.gather(*(taker.stop() for taker in takers))


async def test_lines_come_from_the_end_on(log, take):
    taker = take()
    await taker.start()
    lines = log.write(3)
    await taker.until_lines(lines)
    assert (taker.lines, taker.gaps, taker.source.kind) == (lines, [], SourceKind.HTTPS)


async def test_restarts_and_rotations_lose_nothing_even_where_the_new_file_is_longer(log, take):
    taker = take()
    await taker.start()
    begun = len(log.written)
    log.write(2)
    await taker.until_lines(log.written[begun:])
    await taker.stop()
    for _ in range(3):
        log.write(2)
        log.rotate()
        log.write(100)
    await taker.start()
    await taker.until_lines(log.written[begun:])
    assert (taker.lines, taker.gaps) == (log.written[begun:], [])


async def test_nothing_is_lost_or_twice_whatever_happens_when(log, take, machine):
    dice = random.Random(machine.honours_ranges)
    taker = take()
    await taker.start()
    begun = len(log.written)
    for step in range(104):
        match dice.choice(["write", "write", "rotate", "restart", "503", "wait"]):
            case "write":
                log.write(dice.choice([1, 2, 50]))
            case "rotate":
                log.rotate()
            case "restart":
                await taker.stop()
                log.write(1)
                await taker.start()
            case "503":
                machine.restarting = not machine.restarting
            case "wait":
                await asyncio.sleep(dice.random() * 0.01)
        if step % 8 == 7:
            machine.restarting = False
            log.write(1)
            await taker.until_lines(log.written[begun:])
    machine.restarting = False
    await taker.until_lines(log.written[begun:])
    assert taker.lines == log.written[begun:]
    assert LOST not in taker.gaps


async def test_a_file_that_the_host_does_not_list_any_more_is_a_gap(log, take):
    taker = take()
    await taker.start()
    await taker.stop()
    for _ in range(log.machine.logs.rotation.kept + 1):
        log.rotate()
    log.write(2)
    lines = list(log.machine.logs.lines("vpxa"))
    await taker.start()
    await taker.until_lines(lines)
    assert (taker.lines, taker.gaps) == (lines, [LOST])


async def test_a_break_is_told_once_and_nothing_is_lost(log, take, machine):
    taker = take()
    await taker.start()
    begun = len(log.written)
    machine.restarting = True
    await taker.until(lambda: taker.gaps)
    log.write(2)
    log.rotate()
    machine.restarting = False
    await taker.until_lines(log.written[begun:])
    assert taker.lines == log.written[begun:]
    (gap,) = taker.gaps
    assert gap == f"{NAME} answers 503 when asked for /host/vpxa.log."


@pytest.mark.parametrize(
    ("what", "words"),
    [("password", "refused user"), ("lockdown", "lockdown mode"), ("ca", "certificate"), ("log", "There is no")],
)
async def test_a_refusal_is_a_sentence_without_secrets(machine, make_source, take, tmp_path, what, words):
    given, log = {}, "vpxa"
    match what:
        case "password":
            given["password"] = lambda: "s3cret-and-wrong"
        case "lockdown":
            machine.lockdown = True
        case "ca":
            given["ca_file"] = Authority(tmp_path, name="other").file
        case "log":
            log = "nothere"
    taker = take(make_source(**given), log=log)
    await taker.start()
    await taker.until(lambda: taker.gaps)
    assert words in taker.gaps[0]
    assert "s3cret" not in taker.gaps[0]
    assert taker.lines == []


async def test_a_refused_password_is_not_sent_again_but_a_new_one_is(machine, make_source, take):
    words = ["wrong"]
    asked = []
    source = make_source(password=lambda: asked.append(1) or words[0])
    log = PlayedLog(machine)
    log.write(3)
    taker = take(source)
    await taker.start()
    await taker.until(lambda: taker.gaps)
    before = taker.batches
    words[0] = machine.account.password
    await taker.until(lambda: taker.batches > before)
    lines = log.write(2)
    await taker.until_lines(lines)
    assert (taker.lines, len(taker.gaps)) == (lines, 1)


async def test_one_slow_host_harms_no_other(player, machine, make_source, take):
    player.machine(OTHER).answers_after = timedelta(seconds=60)
    source = make_source()
    slow = take(source, host=HostKey(f"east/{OTHER}"))
    waiting = asyncio.create_task(slow.start())
    log = PlayedLog(machine)
    log.write(2)
    quick = take(source)
    await quick.start()
    lines = log.write(2)
    await quick.until_lines(lines)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    player.machine(OTHER).answers_after = timedelta(0)


async def test_once_gives_what_was_written_lately(log, make_source):
    log.rotate()
    log.write(2)
    batches = [batch async for batch in make_source().once(HOST, "vpxa", since=timedelta(hours=1))]
    found = [line.text for batch in batches for line in batch.lines]
    assert found[-len(log.written) :] == log.written
    assert not any(batch.gap for batch in batches)


class Hostile:
    """A host that answers as it likes."""

    def __init__(self, directory):
        self._authority = Authority(directory, name="hostile")
        self.asked = []
        self.answers = {}

    async def up(self):
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        context = self._authority.server_context("127.0.0.1")
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        self.port = self._runner.addresses[0][1]

    async def down(self):
        await self._runner.cleanup()

    async def _answer(self, request):
        self.asked.append(request)
        answer = self.answers[request.path]()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def source(self):
        return HttpsSource(
            user="root",
            password=lambda: "s3cret",
            ca_file=self._authority.file,
            addresses=lambda _: Address("127.0.0.1", self.port),
            every=SOON,
            settle=SOON,
            pauses=PAUSES,
        )


@pytest.fixture
async def hostile(tmp_path):
    host = Hostile(tmp_path)
    await host.up()
    yield host
    await host.down()


async def test_a_redirect_is_not_followed(hostile, take):
    host, other = hostile, []
    host.answers["/host/vpxa.log"] = lambda: web.HTTPFound(f"https://127.0.0.1:{host.port}/elsewhere")
    host.answers["/elsewhere"] = lambda: other.append(1) or web.Response(text="here\n")
    taker = take(host.source())
    await taker.start()
    await taker.until(lambda: taker.gaps)
    assert "sends us elsewhere" in taker.gaps[0]
    assert not other


async def test_a_packed_file_that_unpacks_for_ever_is_given_up(hostile, take):
    mark = b"2026-03-14T16:31:45.288Z info 1 the last line that was read\n"
    content = [mark]
    hostile.answers["/host/vpxa.log"] = lambda: web.Response(body=content[0])
    hostile.answers["/host"] = lambda: web.Response(text="vpxa.0.gz")
    bomb = gzip.compress(mark + b"\0" * (80 << 20), compresslevel=1)
    hostile.answers["/host/vpxa.0.gz"] = lambda: web.Response(body=bomb, content_type="application/x-gzip")
    taker = take(hostile.source())
    await taker.start()
    await taker.stop()
    lines = [f"2026-03-14T16:31:46.{n:03} info {n} after that" for n in range(3)]
    content[0] = "".join(f"{line}\n" for line in lines).encode()
    await taker.start()
    await taker.until(lambda: taker.lines[-3:] == lines, 30)
    assert any("unpacks to more than" in gap for gap in taker.gaps)


async def test_only_what_is_new_is_asked_for(hostile, take):
    text = ["".join(f"2026-03-14T16:31:45.{n:03}Z info {n}\n" for n in range(1000))]
    hostile.answers["/host/vpxa.log"] = lambda: web.Response(text=text[0])
    taker = take(hostile.source())
    await taker.start()
    before = len(text[0])
    text[0] += "2026-03-14T16:31:46.000Z info new\n"
    await taker.until_lines(["2026-03-14T16:31:46.000Z info new"])
    await taker.stop()
    end, whole, *later = [request.headers.get("Range") for request in hostile.asked]
    assert (end, whole) == ("bytes=-1", None)
    assert later[0] == f"bytes={before - 256}-"


async def test_a_server_that_sends_another_part_than_asked_for_is_not_believed(hostile, take):
    text = "".join(f"2026-03-14T16:31:45.{n:03}Z info {n}\n" for n in range(100)).encode()

    def answer():
        headers = {"Content-Range": f"bytes 0-{len(text) - 1}/{len(text)}"}
        return web.Response(status=206, body=text, headers=headers)

    hostile.answers["/host/vpxa.log"] = answer
    taker = take(hostile.source())
    taker.cursor = f'[1, {len(text)}, 5, "info 99\\n"]'
    await taker.start()
    await taker.until(lambda: taker.gaps)
    assert "another part" in taker.gaps[0]
