"""The pure half of the syslog receiver: where messages end, whose they are, how they read, what is around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hostlog.candidates import Sieve
from bot.hostlog.cursor import Line
from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost
from bot.logs.syslog_frames import Frames
from bot.logs.syslog_header import LIMIT, log_of, own_text, read_header
from bot.logs.syslog_hosts import HeardHost, Hosts, name_in
from bot.logs.syslog_vicinity import Stream

C = "info vpxa[2101] [Originator@6876 sub=Libs opID=e6012b2-01-b0] [NFC ERROR] text"
D = "[Originator@6876 sub=Libs opID=e6012b2-01-b0] text"
QUOTED = r'[Originator@6876 sub="A \"b\" [c\]" opID="e6012b2-01-b0"]'
STAMP = "2024-03-26T04:31:17.959Z"
B = "[7F03ECE76700 verbose 'Default' opID=2140bc71] x"
A = "[2012-04-07 17:39:16.938 FFCFEE80 warning 'X'] y"
UNQUOTED = '[Originator@6876 sub=A "b" [c] opID=e6012b2-01-b0]'
QUALITY = '[timeQuality tzKnown="1"]'
IN_FILE = [
    (f"<166>{STAMP} esx-01 Vpxa: {C}", f"{STAMP} {C}"),
    (f"<166>1 {STAMP} esx-01 Vpxa 2101 - - {C}", f"{STAMP} {C}"),
    (f"<13>1 {STAMP} esx-01 Vpxa 1 - {QUALITY} \ufeff{C}", f"{STAMP} {C}"),
    (f"<163>{STAMP} esx-01 Hostd[209]: {D}", f"{STAMP} Er(163) Hostd[209]: {D}"),
    (f"<163>1 {STAMP} esx-01 Hostd 209 - {QUOTED} t", f"{STAMP} Er(163) Hostd[209]: {UNQUOTED} t"),
    (f"<166>{STAMP} esx-01 Hostd: {B}", f"{STAMP} {B}"),
    (f"<14>Apr  7 17:39:16 esx Hostd: {A}", A),
    ("<14>Apr  7 17:39:16 esx Hostd: text", "Apr  7 17:39:16 esx Hostd: text"),
    (f"<14>1 {STAMP} esx-01 esxupdate - - - root: INFO", f"{STAMP} esxupdate: root: INFO"),
    (f"<182>{STAMP} esx-01 vmkernel: cpu21:2097 opID=a03f)Scsi: z", f"{STAMP} cpu21:2097 opID=a03f)Scsi: z"),
    (f"<182>{STAMP} esx-01 vmkernel: VMB: 65: z", f"{STAMP} In(182) vmkernel: VMB: 65: z"),
    (f"<14>{STAMP} esx-01 vobd: [netCorrelator] 148us: [vob.net] w", f"{STAMP}: [netCorrelator] 148us: [vob.net] w"),
    (f"<166>{STAMP} esx-01 Hostd: --> reason = 3", "--> reason = 3"),
    (f"<13>Nov 23 20:00:01 relay <166>{STAMP} esx-01 Vpxa: {C}", f"{STAMP} {C}"),
    (f"<13>1 {STAMP} relay syslog - - - <166>{STAMP} esx-01 Vpxa: {C}", f"{STAMP} {C}"),
    (f"<13>1 {STAMP} relay syslog - - {QUALITY} <166>{STAMP} esx-01 Vpxa: {C}", f"{STAMP} {C}"),
]


@pytest.mark.parametrize(("sent", "in_file"), IN_FILE)
def test_a_line_reads_as_in_the_hosts_own_file(sent, in_file):
    raw = sent.encode()
    assert own_text(raw, read_header(raw)) == in_file
    assert name_in(raw) in {b"esx-01", b"esx"}


def test_what_is_no_syslog_goes_on_with_the_line_above():
    assert read_header(b"a word") is None
    assert own_text(b"   reason = 3", None) == "-->    reason = 3"
    assert log_of(b"Vpxa") == "vpxa"
    assert log_of(b"vmkwarning") == "vmkernel"


@given(st.binary(max_size=400))
def test_no_bytes_are_too_strange_for_a_header(data):
    header = read_header(b"<14>1 2024-03-26T04:31:17Z h p - - " + data)
    assert own_text(data, header if header and header.start <= len(data) else None)
    name_in(data)


messages = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\n"), max_size=40), max_size=12)


@given(messages, st.lists(st.integers(1, 60)), st.booleans())
def test_messages_survive_any_cuts(texts, cuts, counted):
    sent = [f"<14>{text}".encode() for text in texts]
    stream = b"".join(b"%d %s" % (len(one), one) if counted else one + b"\n" for one in sent)
    frames, got, place = Frames(), b"", 0
    for cut in [*cuts, len(stream)]:
        got += frames.feed(stream[place : place + cut])
        place += cut
    assert got + frames.rest() == b"".join(one + b"\n" for one in sent)


def test_counted_and_ended_messages_may_be_mixed():
    assert Frames().feed(b"6 <14>ab5 <14>c<14>d\0<14>e\n") == b"<14>ab\n<14>c\n<14>d\n<14>e\n"


@pytest.mark.parametrize(
    "hostile",
    [
        b"99999999999 <14>x",
        b"-5 <14>x",
        b"9999999 <14>" + b"x" * 200_000,
        b"x" * 200_000,
        b"1" * 200_000,
        b"0 <14>",
        b"\0" * 9,
    ],
)
def test_a_hostile_frame_is_cut_and_what_follows_is_read(hostile):
    frames = Frames()
    for start in range(0, len(hostile), 50_000):
        assert len(frames.feed(hostile[start : start + 50_000])) <= 50_000 + LIMIT + 9
        assert len(frames._carry) <= LIMIT + 9
    frames._skip_octets = 0
    assert frames.feed(b"\n<14>next\n").endswith(b"<14>next\n")


lines = st.lists(st.tuples(st.sampled_from(["Vpxa", "Hostd", "vmkernel"]), st.booleans()), max_size=40)


@given(lines, st.lists(st.integers(1, 6)))
def test_candidates_bring_the_same_neighbours_as_a_sieve_gives(given_lines, cuts):
    raw = [
        b"<166>%s esx %s: info %s[1] %d %s" % (STAMP.encode(), who.encode(), who.encode(), at, b"NEEDLE" * hit)
        for at, (who, hit) in enumerate(given_lines, start=1)
    ]
    wanted = {
        log: Sieve(lambda text: "NEEDLE" in text).take(
            Line(at, own_text(line, read_header(line)))
            for at, line in enumerate(raw, start=1)
            if log_of(read_header(line).program) == log
        )
        for log in ("vpxa", "hostd")
    }
    stream, got, place = Stream(("vpxa", "hostd"), lambda text: "NEEDLE" in text), {"vpxa": [], "hostd": []}, 0
    for cut in [*cuts, len(raw)]:
        block = b"".join(line + b"\n" for line in raw[place : place + cut])
        place += cut
        for log, found in stream.take(
            block, block.count(b"\n"), [at for at in range(len(block)) if block.startswith(b"NEEDLE", at)]
        ):
            got[log] += found
    assert got == wanted
    assert stream.lines == len(raw)


def test_a_flood_is_told_once_it_is_over_and_now_and_then_while_it_lasts():
    host = WatchedHost(HostKey("east/esx-01"), "", SourceKind.SYSLOG)
    record = HeardHost(host, Stream((), bool), allowed=100, now=0)
    record.spend(1100, 0)
    assert not record.may_send(0.5)
    record.flooded(0.5, lost=7)
    assert "more than 100 lines a second" in record.tally().trouble
    assert record.flood_to_tell(5) == ""
    assert record.flood_to_tell(11) == "it sent more than 100 lines a second: 7 lines were not read"
    assert record.tally().trouble == ""
    assert record.flood_to_tell(12) == ""
    told = []
    for second in range(20, 720):
        record.flooded(second, lost=1)
        told += filter(None, [record.flood_to_tell(second)])
    assert [words.split()[8] for words in told] == ["301", "300"]


def test_of_strangers_few_names_are_kept():
    hosts = Hosts(Roll, (), bool, lines_per_second=1)
    for number in range(5000):
        hosts.unknown(f"\x1b[2J{number}" + "x" * 1000, 2)
        hosts.named(b"%d" % number)
    unknown = hosts.strangers().unknown
    assert len(unknown) == 301
    assert sum(unknown.values()) == 10_000
    assert all(len(name) <= 64 and name.isprintable() for name in unknown)
