"""The evidence pack: what it says of a record, what it never says, and that no text of strangers acts in any file."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from bot.diagnosis.causes import Cause
from bot.diagnosis.elimination import Elimination, Part, Row, State
from bot.errors import UserError
from bot.jobs.port import Job, Step
from bot.migration.facts import Vmk
from bot.migration.machine import Phase
from bot.migration.measured import Connection, LinkSample, NicCounters, PathMeasurement, Pings, SampleKind, When
from bot.migration.path import DataPath, Leg, PathKind
from bot.migration.request import JobId
from bot.operations.evidence import make, said_of
from bot.operations.evidence_ask import Flow, ask_for
from bot.operations.evidence_build import Material, build
from bot.operations.evidence_controls import Controlled, Way
from bot.operations.evidence_pack import TITLE
from bot.operations.evidence_record import Examined, with_examined
from bot.operations.record import Copied, Intent, with_copied, with_intent, with_measured, with_plan, with_request
from tests.migration.conftest import REQUEST, plan_of

T = datetime(2026, 11, 23, 1, 42, tzinfo=UTC)
LEG = Leg(Vmk("vmk1", "10.1.0.11"), Vmk("vmk2", "10.2.0.21"), 902)
PATH = DataPath(PathKind.NFC_PROVISIONING, LEG, LEG, "both have a provisioning interface")
PLAN = replace(plan_of(), path=PATH)
EVIL = "<script>alert(1)</script><!channel>\x1b[2J\u202e=cmd()"


def nic(received: int, dropped: int = 0) -> NicCounters:
    return NicCounters("esx-11", "vmnic0", True, received, received, 0, 0, dropped, 0, 0)


LOOKS = (
    PathMeasurement(T - timedelta(hours=5), When.BEFORE, "l", "esx-11", "esx-21", PATH, small=Pings(20, 20, 84, False)),
    PathMeasurement(
        T - timedelta(minutes=2), When.DURING, "l", "esx-11", "esx-21", PATH,
        small=Pings(20, 18, 84, False),
        connections=(Connection("esx-11", "10.1.0.11:51234", "10.2.0.21:902", "ESTABLISHED", 262_144, 0, "vpxa"),),
    ),
    PathMeasurement(
        T + timedelta(minutes=1), When.AFTER, "l", "esx-11", "esx-21", PATH,
        small=Pings(200, 188, 84, False, rtt_avg=timedelta(milliseconds=80.2)),
        full=Pings(20, 20, 1500, True),
        nics=(nic(9000, 3),),
        nics_before=(nic(1000),),
        nics_apart=timedelta(seconds=20),
        unread=("Uplinks of esx-21: no answer within 75 s.",),
    ),
)  # fmt: skip
INCIDENT = {
    "cause": "packet_loss",
    "confidence": 0.8,
    "match": "exact",
    "first": "2026-11-23T01:41:58.000+00:00",
    "last": "2026-11-23T01:42:00.000+00:00",
    "evidence": [
        {"file": "esx-11 vpxa.log", "line": 7, "text": "NfcNetTcpWrite: bWritten: -1", "role": "decisive"},
        {"file": "esx-11 vpxa.log", "line": 8, "text": EVIL, "role": "symptom"},
    ],
    "ruled_out": ["A blocked port: the transfer had begun."],
    "unreadable": ["Who sent the reset was not captured."],
}
TABLE = Elimination(
    (
        Row(Part.SOURCE_HOST, State.CLEAN, "nothing noted"),
        Row(Part.PATH, State.DIRTY, "12 of 200 lost", ("probe.loss",)),
    ),
    T - timedelta(minutes=1),
    T + timedelta(minutes=1),
)


def job(*, plan=PLAN, verdict: object = None, **data: str) -> Job:
    said = {"incidents": [INCIDENT]} if verdict is None else verdict
    record = {
        **with_request(REQUEST),
        **with_plan(plan),
        **with_intent(Intent("cm-abcdefgh-a1", "s", T - timedelta(hours=5), T - timedelta(hours=5))),
        **with_copied(Copied(63, None, None, 0, since=T - timedelta(minutes=3))),
        **with_examined(Examined(TABLE, timedelta(seconds=2), {PLAN.source.host: timedelta(seconds=-1.5)})),
        "verdict": json.dumps(said),
        **data,
    }
    steps = [Step(Phase.ATTACHED, T - timedelta(hours=5), "w", ""), Step(Phase.VERIFYING, T, "w", "")]
    made = Job(
        id=JobId("abcdefgh"), kind="migrate", state=Phase.FAILED, vm_key="k", lane="l", requester="U1", channel="C1",
        fence=1, owner="", attempt=1, created=T, updated=T, cancel_by="", data=record, steps=steps,
    )  # fmt: skip
    for look in LOOKS:
        made = replace(made, data={**made.data, **with_measured(made, look)})
    return made


def controls() -> list[Controlled]:
    way = Way("esx-12", "esx-22", LEG, None)
    clean = Controlled("Another pair of hosts", "…", T, way, Pings(100, 100, 84, False))
    return [clean, Controlled("A local peer", "…", T, None, None, "site1 has no other host")]


HISTORY = [LinkSample(T, "l", SampleKind.PROBE, "=esx-11", "esx-21", 200, 12)]


def page(**changes) -> str:
    return make(job(**changes), now=T + timedelta(minutes=8), history=(), controls=controls()).files[0].data.decode()


def test_counts_stand_with_their_intervals_before_during_and_after():
    counts = build(Material(job(), T)).counts
    assert [(one.when, one.sent, one.lost) for one in counts] == [
        ("before the copy", 20, 0),
        ("while the copy ran", 20, 2),
        ("after the copy", 200, 12),
        ("after the copy", 20, 0),
    ]
    assert counts[2].words == "12 of 200 lost, 6 %, 95 % CI 3.5 to 10 %"
    assert counts[2].trip == "80.2 ms"
    assert counts[0].way == "esx-11 vmk1 10.1.0.11 to esx-21 vmk2 10.2.0.21"


def test_the_flow_its_clocks_and_what_came_across_before_it_broke():
    pack = build(Material(job(), T))
    assert dict(pack.flow)["Flow"] == "TCP 10.1.0.11 to 10.2.0.21:902; source port seen: 10.1.0.11:51234"
    times = dict(pack.times)
    assert times["First line of the failure"] == "2026-11-23 01:41:58.000 UTC"
    assert "63 %" in times["Before the break"]
    assert "2.0 s ahead of our queue's clock" in times["Clocks"]
    assert f"{PLAN.source.host} is 1.5 s behind that vCenter" in times["Clocks"]
    assert times["Who sent RST or FIN"].startswith("not known")


def test_a_reset_that_a_line_tells_of_is_told_without_a_culprit():
    line = {"file": "f", "line": 1, "text": "Connection reset by peer", "role": "symptom"}
    pack = build(Material(job(verdict={"incidents": [{**INCIDENT, "evidence": [line]}]}), T))
    assert "a reset came in; who sent it is not known" in dict(pack.times)["Who sent RST or FIN"]


def test_counters_are_shown_over_the_time_that_they_were_counted():
    (counter,) = build(Material(job(), T)).counters
    assert (counter.nic, counter.packets, counter.dropped) == ("vmnic0", 16_000, 3)
    assert counter.until - counter.since == timedelta(seconds=20)


def test_both_ends_are_captured_with_real_names_bounded_and_stoppable():
    here, stop, there, _ = build(Material(job(), T)).commands
    assert "pktcap-uw --vmk vmk1 --dir 2 --ip 10.2.0.21 --tcpport 902" in here.command
    assert "pktcap-uw --vmk vmk2 --dir 2 --ip 10.1.0.11 --tcpport 902" in there.command
    assert "-C 100 -W 10 -w /vmfs/volumes/" in here.command
    assert "kill" in stop.command


@pytest.mark.parametrize("cause", [*Cause, "of-another-version"])
def test_one_concrete_thing_is_asked_whatever_the_cause(cause):
    please, answer = ask_for(cause, Flow(LEG, "esx-11", "esx-21", T, passes=1372))
    assert please.startswith("Please ")
    assert "10.1.0.11" in please
    assert "would answer it" in answer


def test_without_a_path_or_a_verdict_it_says_what_is_not_known():
    bare = replace(plan_of(), path=None)
    pack = build(Material(job(plan=bare, verdict={}), T))
    assert "not known" in dict(pack.flow)["Path"]
    assert pack.commands == ()
    assert len(pack.ask) == 1
    assert "No controls were measured for this pack." in pack.unknown
    assert build(Material(job(plan=bare, verdict="no object"), T)).cause == ""


def test_a_migration_that_never_ran_has_no_evidence():
    with pytest.raises(UserError, match="never started"):
        make(job(intent=""), now=T, history=())


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]


def test_the_page_runs_nothing_loads_nothing_and_claims_nothing():
    text = page()
    read = _Page()
    read.feed(text)
    assert TITLE in text
    assert not {"script", "link", "iframe", "form", "object"} & set(read.tags)
    assert all(link.startswith("data:image/png") for link in read.links)
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not re.search(r"\bpro(of|ven?|ves)\b", text.casefold())
    for part in ("95 % CI", "Another pair of hosts", "not measured: site1 has no other host", "nothing noted", "SendQ"):
        assert part in text


def test_the_zip_has_all_of_it_and_a_sheet_runs_no_formula():
    made = make(job(), now=T, history=HISTORY, controls=controls(), asked_at=T)
    assert [file.name for file in made.files] == ["evidence-1123T0142Z.html", "evidence-1123T0142Z.zip"]
    with zipfile.ZipFile(io.BytesIO(made.files[1].data)) as opened:
        files = {name.removeprefix("evidence-abcdefgh/"): opened.read(name) for name in opened.namelist()}
    assert set(files) == {
        *("evidence-abcdefgh.html", "measurements.csv", "link-history.csv", "log-lines.txt", "diagnosis.json"),
        "link.png",
    }
    rows = list(csv.DictReader(io.StringIO(files["measurements.csv"].decode())))
    assert [(row["sent"], row["lost"], row["control"]) for row in rows][-2:] == [
        ("20", "0", ""),
        ("100", "0", "Another pair of hosts"),
    ]
    (sample,) = csv.DictReader(io.StringIO(files["link-history.csv"].decode()))
    assert sample["source_host"] == "'=esx-11"
    assert json.loads(files["diagnosis.json"])["incidents"][0]["cause"] == "packet_loss"
    assert "\x1b" not in files["log-lines.txt"].decode()


def test_the_same_record_makes_the_same_files():
    one, other = (make(job(), now=T, history=(), controls=controls()).files for _ in range(2))
    assert [file.data for file in one] == [file.data for file in other]


def test_the_reply_says_what_the_controls_showed():
    lossy = Controlled("The same path, now", "…", T, Way("a", "b", LEG, None), Pings(100, 90, 84, False))
    made = make(job(), now=T, history=(), controls=[*controls(), lossy])
    assert said_of(made).endswith("Controls: lossy: The same path, now. clean: Another pair of hosts.")
