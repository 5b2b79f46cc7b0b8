"""The syslog receiver against real senders: util-linux' logger, openssl, Python's ssl, and plain sockets."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import Counter
from contextlib import closing
from datetime import timedelta

import pytest

from bot.diagnosis.engine import load_engine
from bot.errors import UnreachableError, UserError
from bot.hostlog.cursor import Line
from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost
from bot.logs.intake import RedisIntake
from bot.logs.stream import RedisWatchedLines
from bot.logs.syslog import SyslogReceiver, tls_context
from bot.logs.syslog_delivery import Delivery
from bot.playground.vcenter.certificates import Authority

ENGINE = load_engine()
NFC = "info vpxa[2101] [Originator@6876 sub=Libs opID=e6012b2-01-b0] [NFC ERROR] NfcNetTcpWrite: bWritten: -1"
DULL = "info vpxa[2101] [Originator@6876 sub=vpxLro opID=HB-host-7@1-2] [VpxLRO] -- BEGIN lro-48"
STAMP = "2024-03-26T04:31:17.959Z"
IN_TIME = timedelta(seconds=10)


class RecordingIntake:
    """Keeps what is pushed. `away`: Redis does not answer."""

    def __init__(self):
        self.pushed = []
        self.away = False
        self.refused = 0
        self.read = Counter()
        self.throttled = Counter()
        self.troubles = {}
        self.behind = {}
        self._news = asyncio.Condition()

    async def push(self, host, log, lines, *, read, gap="", throttled=0, behind=None, trouble="", kind):
        assert kind is SourceKind.SYSLOG
        async with self._news:
            self._news.notify_all()
            if self.away and (lines or gap):
                self.refused += 1
                raise UnreachableError("Redis does not answer")
            self.read[host] += read
            self.throttled[host] += throttled
            self.troubles[host] = trouble
            self.behind[host] = behind or self.behind.get(host)
            self.pushed.append((host, log, tuple(lines), gap))

    def texts(self, host):
        return [line.text for key, _, lines, _ in self.pushed if key == host for line in lines]

    def gaps(self, host):
        return [gap for key, _, _, gap in self.pushed if key == host and gap]

    async def until(self, holds):
        async with asyncio.timeout(IN_TIME.total_seconds()), self._news:
            await self._news.wait_for(holds)


def host(name, *addresses, kind=SourceKind.SYSLOG):
    return WatchedHost(HostKey(f"east/{name}"), "site1", kind, addresses=frozenset(addresses))


ESX = host("esx-01.example.net", "127.0.0.11")
OTHER = host("esx-02.example.net")
PULLED = host("esx-03.example.net", kind=SourceKind.SSH)
ROLL = Roll([ESX, OTHER, PULLED])


@pytest.fixture
def intake():
    return RecordingIntake()


@pytest.fixture
async def receiver(intake):
    async with listening(intake) as running:
        yield running


def listening(intake, *, lines_per_second=2000, roll=lambda: ROLL, **options):
    return SyslogReceiver(
        intake,
        roll,
        finder=ENGINE.catalogue.needles.finder(),
        logs=("vpxa", "hostd"),
        lines_per_second=lines_per_second,
        address="127.0.0.1",
        look_after=timedelta(milliseconds=50),
        **({"udp": 0, "tcp": 0, "every": timedelta(milliseconds=20)} | options),
    )


def sent(text, *, by="esx-02.example.net", program="Vpxa"):
    return f"<166>{STAMP} {by} {program}: {text}\n".encode()


def connected(receiver, *, own="127.0.0.1", port="tcp"):
    """A connection from an address of ours; the kernel hands it over at once."""
    return socket.create_connection(("127.0.0.1", receiver.ports[port]), source_address=(own, 0))


async def ran(*command, feed=None):
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(IN_TIME.total_seconds()):
        _, complaint = await process.communicate(feed)
    assert process.returncode == 0, complaint


LOGGERS = {
    "udp-3164": ("--udp", "--rfc3164"),
    "udp-5424": ("--udp", "--rfc5424"),
    "tcp-3164": ("--tcp", "--rfc3164"),
    "tcp-counted": ("--tcp", "--rfc5424", "--octet-count"),
}


@pytest.mark.parametrize("how", LOGGERS.values(), ids=LOGGERS)
async def test_what_logger_sends_arrives(how, receiver, intake):
    """A sender of everybody's, with a name that is no host's: so the whole line of a host stands inside, relayed."""
    port = receiver.ports["udp" if "--udp" in how else "tcp"]
    line = sent(NFC).decode().strip()
    await ran("logger", *how, "--server", "127.0.0.1", "--port", port, "--tag", "relay", "--size", "4KiB", line)
    await intake.until(lambda: intake.texts(OTHER.key))
    assert intake.texts(OTHER.key) == [f"{STAMP} {NFC}"]


async def test_a_candidate_brings_its_neighbours_across_reads(receiver, intake):
    lines = [f"{DULL} {number}" for number in range(9)]
    with closing(connected(receiver)) as host:
        host.sendall(b"".join(sent(line) for line in lines[:4]) + sent("not vpxa", program="Hostd"))
        await intake.until(lambda: intake.read[OTHER.key] == 5)
        host.sendall(sent(NFC)[:40])
        await asyncio.sleep(0)
        host.sendall(sent(NFC)[40:] + sent(lines[4]) + sent("not vpxa", program="Hostd"))
        await intake.until(lambda: len(intake.texts(OTHER.key)) == 4)
        host.sendall(b"".join(sent(line) for line in lines[5:]))
        await intake.until(lambda: len(intake.texts(OTHER.key)) == 6)
    wanted = [lines[2], lines[3], NFC, lines[4], lines[5], lines[6]]
    assert intake.texts(OTHER.key) == [f"{STAMP} {line}" for line in wanted]
    assert [line.number for _, _, some, _ in intake.pushed for line in some] == [3, 4, 6, 7, 9, 10]
    assert intake.behind[OTHER.key] > timedelta(days=365)  # by the stamps of these lines


async def test_a_relay_of_many_lines_is_not_held_up(intake):
    """Far more than the kernel keeps for a connection, which is all that a round could give, goes through in a few."""
    async with listening(intake, every=timedelta(seconds=1)) as receiver:
        with closing(connected(receiver)) as relay:
            await asyncio.to_thread(relay.sendall, sent(DULL) * 18_000 + sent(NFC))
            await intake.until(lambda: intake.texts(OTHER.key))
    assert intake.texts(OTHER.key)[-1] == f"{STAMP} {NFC}"


async def test_an_address_that_is_a_hosts_own_speaks_for_it_alone(receiver, intake):
    with closing(connected(receiver, own="127.0.0.11")) as forger, closing(connected(receiver)) as relay:
        forger.sendall(sent(NFC, by="esx-02.example.net"))
        relay.sendall(sent(f"{NFC} 2") + sent(NFC, by="esx-03") + sent(NFC, by="x\x1bc<!channel>"))
        await intake.until(lambda: intake.texts(ESX.key) and intake.texts(OTHER.key))
    assert intake.texts(ESX.key) == [f"{STAMP} {NFC}"]
    assert intake.texts(OTHER.key) == [f"{STAMP} {NFC} 2"]
    strangers = receiver.counts().strangers
    assert strangers.elsewhere == {PULLED.key: 1}
    (unknown,) = strangers.unknown
    assert "\x1b" not in unknown
    assert {tally.host for tally in receiver.tallies()} == {ESX.key, OTHER.key}


async def test_tls_takes_openssl_and_python_and_refuses_what_is_old(tmp_path, intake):
    Authority(tmp_path, name="syslog").server_context("127.0.0.1")
    pem, ca = tmp_path / "syslog-server.pem", tmp_path / "syslog-ca.pem"
    tls = tls_context(pem, pem)
    async with listening(intake, tls=0, tls_context=tls) as receiver:
        port = receiver.ports["tls"]
        verified = ("-CAfile", ca, "-verify_return_error", "-verify_ip", "127.0.0.1")
        message = sent(NFC).strip()
        counted = b"%d %s" % (len(message), message)
        await ran(
            "openssl", "s_client", "-quiet", "-no_ign_eof", "-connect", f"127.0.0.1:{port}", *verified, feed=counted
        )
        await intake.until(lambda: len(intake.texts(OTHER.key)) == 1)
        context = ssl.create_default_context(cafile=ca)
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(sent(NFC) * 200)
        await intake.until(lambda: len(intake.texts(OTHER.key)) == 201)
        served = writer.get_extra_info("peercert")["serialNumber"]
        Authority(tmp_path, name="syslog").server_context("127.0.0.1")  # renewed on disk, by another issuer
        tls.renew()
        _, newer = await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context(cafile=ca))
        assert newer.get_extra_info("peercert")["serialNumber"] != served
        for each in (writer, newer):
            each.close()
            await each.wait_closed()
        old = ssl.create_default_context(cafile=ca)
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(OSError, match=r"."):
            await asyncio.open_connection("127.0.0.1", port, ssl=old)


async def test_with_client_certificates_asked_for_nobody_is_heard_without_one(tmp_path, intake, caplog):
    Authority(tmp_path, name="syslog").server_context("127.0.0.1")
    pem, ca = tmp_path / "syslog-server.pem", tmp_path / "syslog-ca.pem"
    async with listening(intake, tls=0, tls_context=tls_context(pem, pem, ca)) as receiver:
        context = ssl.create_default_context(cafile=ca)
        reader, writer = await asyncio.open_connection("127.0.0.1", receiver.ports["tls"], ssl=context)
        writer.write(sent(NFC))
        with pytest.raises(OSError, match=r"certificate required|Connection reset"):
            await reader.read()
        writer.close()
        assert receiver.counts().connections == 0
    assert "the TLS handshake with 127.0.0.1 failed: peer did not return a certificate" in caplog.text
    assert intake.texts(OTHER.key) == []


@pytest.mark.parametrize("content", ["", "no certificate", None], ids=["empty", "rubbish", "missing"])
def test_files_that_are_no_certificate_are_refused_in_words(content, tmp_path):
    file = tmp_path / "syslog.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UserError, match=f"The certificate {file} and its key {file} cannot be used for syslog: "):
        tls_context(file, file)


async def test_a_port_that_is_taken_is_refused_in_words(receiver, intake):
    with pytest.raises(UserError, match=r"cannot be taken in over TCP at 127\.0\.0\.1 port"):
        async with listening(intake, tcp=receiver.ports["tcp"]):
            pass


async def test_a_connection_that_breaks_is_a_gap_and_one_that_ends_is_none(receiver, intake):
    with closing(connected(receiver)) as orderly:
        orderly.sendall(sent(DULL) + sent(f"{NFC} last words").rstrip(b"\n"))
    await intake.until(lambda: intake.texts(OTHER.key))
    assert intake.texts(OTHER.key)[-1].endswith("last words")
    assert intake.gaps(OTHER.key) == []
    broken = connected(receiver, own="127.0.0.11")
    broken.sendall(sent(DULL))
    await intake.until(lambda: intake.read[ESX.key] == 1)
    broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    broken.close()
    await intake.until(lambda: intake.gaps(ESX.key))
    assert intake.gaps(ESX.key) == ["its syslog connection broke: Connection reset by peer"]


async def test_what_a_host_says_of_its_own_losses_is_a_gap(receiver, intake):
    told = '[UserLevelCorrelator] 1us: [vob.user.vmsyslogd.remote.failure] The host "192.0.2.50:514" is unreachable.'
    with closing(connected(receiver)) as host:
        host.sendall(sent(told, program="vobd") * 3)
        await intake.until(lambda: intake.gaps(OTHER.key))
    assert intake.gaps(OTHER.key) == ["the host says that it could not send its log for a time"]


async def test_a_host_that_floods_is_throttled_and_named_and_its_neighbour_is_not(intake):
    async with listening(intake, lines_per_second=100) as receiver:
        with (
            closing(connected(receiver)) as relay,
            closing(connected(receiver, own="127.0.0.11")) as pinned,
        ):
            relay.sendall(sent(DULL) * 1500)  # ten seconds' worth may come at once
            pinned.setblocking(False)
            pinned.send(sent(DULL) * 1500)  # longer than that: not read, until it may send again
            relay.sendall(sent(DULL) * 1500)
            await intake.until(lambda: intake.throttled[OTHER.key] + intake.read[OTHER.key] == 3000)
            held = {tally.host: tally for tally in receiver.tallies()}
            assert held[OTHER.key].throttled == intake.throttled[OTHER.key] > 1000
            assert held[OTHER.key].lines == intake.read[OTHER.key] >= 1000
            relay.sendall(sent(NFC, by="esx-03") + sent(NFC, by="127.0.0.11"))  # the relay goes on for others
            assert "more than 100 lines a second" in held[OTHER.key].trouble
            assert intake.troubles[OTHER.key] == held[OTHER.key].trouble
            assert "more than 100 lines a second" in held[ESX.key].trouble
            await intake.until(lambda: receiver.counts().strangers.elsewhere)


async def test_while_redis_is_away_lines_wait_and_arrive_once(receiver, intake):
    intake.away = True
    with closing(connected(receiver)) as host:
        host.sendall(b"".join(sent(f"{NFC} {number}") for number in range(50)))
        await intake.until(lambda: intake.refused)
        host.sendall(b"".join(sent(f"{NFC} {number}") for number in range(50, 100)))
        await intake.until(lambda: intake.read[OTHER.key] + intake.refused > 1)
        intake.away = False
        await intake.until(lambda: len(intake.texts(OTHER.key)) >= 100)
    assert intake.texts(OTHER.key) == [f"{STAMP} {NFC} {number}" for number in range(100)]


async def test_what_does_not_fit_while_redis_is_away_is_told(intake):
    intake.away = True
    delivery = Delivery(intake, most=40, most_of_one=30)
    sending = asyncio.create_task(delivery.run())
    for number in range(50):
        delivery.put(OTHER.key, "vpxa", [Line(number, str(number))])
        await delivery.wake()
        await asyncio.sleep(0)
    delivery.put(ESX.key, "vpxa", [Line(number, str(number)) for number in range(20)])
    await intake.until(lambda: intake.refused)
    intake.away = False
    await delivery.emptied()
    sending.cancel()
    assert intake.texts(ESX.key) == [str(number) for number in range(20)]
    kept = intake.texts(OTHER.key)
    assert kept == [str(number) for number in range(50 - len(kept), 50)]
    assert len(kept) <= 20
    assert intake.gaps(OTHER.key) == [f"{50 - len(kept)} lines of interest were dropped while Redis did not answer"]


async def test_neighbours_of_the_hostile_notice_nothing(receiver, intake):
    hostile = [
        b"99999999999 <14>x",
        b"9999999 <14>" + b"A" * 100_000,
        b"A" * 300_000,
        b"\0" * 70_000,
        b"<166>" + b"\xff\xfe" * 20_000 + b"\n",
        b"<166>1 2024-03-26T04:31:17Z h p - - " + b'[a@1 b="c"]' * 20_000 + b" [NFC ERROR]\n",
        b"\x16\x03\x01\x02\x00",
    ]
    attackers = [connected(receiver) for _ in hostile]
    with closing(connected(receiver)) as honest, closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        for attacker, words in zip(attackers, hostile, strict=True):
            attacker.setblocking(False)
            attacker.send(words)
            udp.sendto(words[:60_000], ("127.0.0.1", receiver.ports["udp"]))
        honest.sendall(sent(NFC))
        await intake.until(lambda: intake.texts(OTHER.key))
        for attacker in attackers:
            attacker.close()
        honest.sendall(sent(f"{NFC} 2"))
        await intake.until(lambda: len(intake.texts(OTHER.key)) == 2)


async def test_datagrams_that_come_at_once_are_all_taken(receiver, intake):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as host:
        host.bind(("127.0.0.11", 0))
        for number in range(100):
            host.sendto(sent(f"{NFC} {number}", by="any"), ("127.0.0.1", receiver.ports["udp"]))
        await intake.until(lambda: len(intake.texts(ESX.key)) == 100)
    assert receiver.counts().datagrams == 100
    assert receiver.counts().buffer > 0


async def test_datagrams_that_the_kernel_dropped_are_told(receiver, intake):
    """Nobody can take them while this sends: the receiver shares our loop."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as host:
        host.bind(("127.0.0.11", 0))
        large = sent(DULL * 100)
        for _ in range(3 * receiver.counts().buffer // len(large)):
            host.sendto(large, ("127.0.0.1", receiver.ports["udp"]))
        await intake.until(lambda: intake.gaps(ESX.key))
    (gap,) = intake.gaps(ESX.key)
    assert gap == f"the kernel dropped {receiver.counts().dropped} datagrams of all hosts"


async def test_hosts_are_looked_up_again_when_the_roll_has_changed(intake):
    roll = Roll([OTHER])
    async with listening(intake, roll=lambda: roll) as receiver:
        with closing(connected(receiver, own="127.0.0.11")) as stranger:
            stranger.sendall(sent(DULL, by="unheard-of"))
            stranger.sendall(sent(DULL))
            await intake.until(lambda: intake.read[OTHER.key] == 1)
            roll = Roll([OTHER, ESX])
            while not intake.texts(ESX.key):
                stranger.sendall(sent(NFC, by="unheard-of"))
                await asyncio.sleep(0.05)
    assert receiver.counts().strangers.unknown["unheard-of from 127.0.0.11"] >= 1


async def test_with_redis_behind_it_a_line_is_in_the_fleets_stream(store):
    intake = RedisIntake(store, keep=ENGINE.is_candidate, watcher="w1")
    async with listening(intake) as receiver:
        with closing(connected(receiver, own="127.0.0.11")) as host:
            host.sendall(sent(DULL) + sent(NFC))
            async with asyncio.timeout(IN_TIME.total_seconds()):
                (entry,) = await RedisWatchedLines(store).read("0-0", within=IN_TIME)
    assert (entry.host, entry.log, entry.kind) == (ESX.key, "vpxa", SourceKind.SYSLOG)
    assert [item.text for item in entry.items] == [f"{STAMP} {DULL}", f"{STAMP} {NFC}"]
    (tally,) = intake.tallies.all()
    assert (tally.host, tally.lines) == (ESX.key, 2)


async def test_a_defect_of_one_part_stops_no_other(intake, caplog):
    class Fragile(RecordingIntake):
        async def push(self, host, log, lines, **more):
            if any("poison" in line.text for line in lines):
                raise KeyError("poison")
            await super().push(host, log, lines, **more)

    intake = Fragile()
    async with listening(intake) as receiver:
        with closing(connected(receiver)) as one:
            one.sendall(sent(f"{NFC} poison"))
            await intake.until(lambda: intake.gaps(OTHER.key))
            one.sendall(sent(NFC))
            await intake.until(lambda: intake.texts(OTHER.key))
    assert "by a defect of ours" in intake.gaps(OTHER.key)[0]
    assert "ended by a defect" in caplog.text


async def test_who_stops_sends_its_hosts_away_first_and_takes_what_is_on_its_way(intake):
    async with listening(intake) as receiver:
        reader, writer = await asyncio.open_connection("127.0.0.1", receiver.ports["tcp"])
        writer.write(sent(DULL))
        await intake.until(lambda: intake.read[OTHER.key])

        async def last_words():
            await reader.read()
            writer.write(sent(NFC))
            writer.close()

        speaking = asyncio.create_task(last_words())
    await speaking
    assert intake.texts(OTHER.key)[-1:] == [f"{STAMP} {NFC}"]
    assert intake.gaps(OTHER.key) == []


async def test_of_a_host_that_sends_on_when_we_stop_the_gap_is_told(intake):
    async with listening(intake) as receiver:
        deaf = connected(receiver)
        deaf.sendall(sent(DULL))
        await intake.until(lambda: intake.read[OTHER.key])
    deaf.close()
    assert intake.gaps(OTHER.key) == ["the watcher that took its syslog in was stopped"]
