"""The judge on a real Valkey: what it keeps, what it says, and that no line, incident or digest can stop it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from bot.diagnosis.causes import Basis
from bot.diagnosis.engine import Engine, load_engine
from bot.hostlog.cursor import Line
from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind
from bot.incidents import growth
from bot.incidents.escalations import RedisEscalations
from bot.incidents.incident import Client, Incident, Mute, Scope, ScopeKind
from bot.incidents.kept import RedisIncidents
from bot.incidents.policy import Loudness, Mode
from bot.incidents.port import AlertPlace
from bot.jobs.queue import RedisQueue
from bot.logs.intake import RedisIntake
from bot.logs.stream import RedisWatchedLines
from bot.migration.request import VCenterName
from bot.operations import watch_judge
from bot.operations.watch_digest import DailyDigest, DigestTools
from bot.operations.watch_judge import Judge, JudgeTools
from bot.operations.watch_outcomes import Outcomes
from bot.operations.watch_speak import Speaker, SpeakerTools
from bot.slack.outbox import RedisOutbox
from bot.store import keys
from bot.store.client import Store, connect
from bot.vsphere.port import EventWeight, VCenterEvent
from tests.operations.alerts_stage import EPOCH, INCIDENT, an_incident, keep

CLIENTS = Loudness(mode=Mode.ALERT)
FAILED = "{at} error vpxa[2103] [Originator@6876 sub=Libs opID={op}] [NFC ERROR] NfcNetTcpWrite: bWritten: -1"
LOST = "{at} error vpxa[2103] [Originator@6876 sub=vpxNfcClient opID={op}] [VpxNfcClient] File transfer failed"

RECEIVED = (
    "{at} warning hostd[2104] [Originator@6876 sub=Libs opID={op}-5c] [NFC ERROR] NfcNet_Recv: requested 262040, "
    "received only 0 bytes"
)


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[Store]:
    async with connect(valkey_url) as store:
        await store.hset(keys.shard("judge"), "epoch", EPOCH)
        yield store


@cache
def engine() -> Engine:
    return load_engine()


class Stumbling:
    """An engine that stumbles over a word."""

    def __init__(self, word: str) -> None:
        self._word = word

    def diagnose_lines(self, lines):
        if any(self._word in line.text for line in lines):
            raise ValueError(self._word)
        return engine().diagnose_lines(lines)


class Stage:
    def __init__(self, store: Store, *, engine_: object = None, speaker: Speaker | None = None) -> None:
        self.store = store
        self.incidents = RedisIncidents(store)
        self.queue = RedisQueue(store, slots={})
        ids = count()
        self.tools = JudgeTools(
            lines=RedisWatchedLines(store),
            incidents=self.incidents,
            engine=engine_ or engine(),  # type: ignore[arg-type]
            roll=lambda: Roll(hosts={}),
            outcomes=lambda: Outcomes({}),
            speaker=speaker or Speaker(self.speaking()),
            digest=None,
            new_id=lambda: f"n{next(ids):07}",
            knows_job=self._knows,
            now=self.queue.now,
            breath=timedelta(milliseconds=10),
        )

    @staticmethod
    async def _knows(job: str) -> bool:
        return job == "abcd2345"

    def speaking(self, **other: object) -> SpeakerTools:
        tools = SpeakerTools(
            incidents=self.incidents,
            escalations=RedisEscalations(self.store),
            outbox=RedisOutbox(self.store),
            queue=self.queue,
            place=AlertPlace("C1"),
            loudness=CLIENTS,
        )
        return replace(tools, **other)  # type: ignore[arg-type]

    async def hear(self, host: str, *texts: str) -> None:
        intake = RedisIntake(self.store, keep=engine().is_candidate, watcher="w1")
        at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
        lines = [Line(number, text.format(at=at, op=f"C65743A5-{host[-4:]:0>8}")) for number, text in enumerate(texts)]
        await intake.push(HostKey(f"east/{host}"), "vpxa", lines, read=len(lines), kind=SourceKind.SYSLOG)

    @asynccontextmanager
    async def judging(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(Judge(self.tools, EPOCH).serve())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, judging: asyncio.Task[None], incidents: int) -> Sequence[str]:
        async with asyncio.timeout(10):
            while len(cases := await self.incidents.live()) < incidents:
                assert not judging.done(), judging.exception()
                await asyncio.sleep(0.02)
        return [host for case in cases for host in case.incident.hosts]

    async def until_it(self, told: Callable[[Incident], object]) -> Incident:
        """The only incident, once that is true of it."""
        async with asyncio.timeout(10):
            while not told(incident := (await self.incidents.live())[0].incident):
                await asyncio.sleep(0.02)
        return incident


async def test_what_came_before_the_very_first_judge_is_judged(store):
    stage = Stage(store)
    await stage.hear("esx-0001", FAILED, LOST)
    async with stage.judging() as task:
        assert await stage.until(task, 1) == ["/esx-0001"]


async def test_lines_that_cannot_be_judged_cost_their_host_alone_and_come_once(store):
    stage = Stage(store, engine_=Stumbling("poison"))
    await stage.hear("esx-0001", FAILED, LOST)
    await stage.hear("esx-0002", FAILED + " poison")
    await stage.hear("esx-0003", FAILED, LOST)
    async with stage.judging() as task:
        assert sorted(await stage.until(task, 2)) == ["/esx-0001", "/esx-0003"]
        newest = await stage.tools.lines.last_id()
        async with asyncio.timeout(10):
            while await stage.incidents.begin(EPOCH) != newest:
                await asyncio.sleep(0.02)


@pytest.mark.parametrize(("job", "whose"), [("abcd2345", Client.OURS), ("zzzz2345", Client.MIGRATION)])
async def test_an_op_id_of_our_form_is_ours_only_if_its_job_is_known(store, job, whose):
    stage = Stage(store)
    await stage.hear("esx-0001", *(line.replace("{op}", f"cm-{job}-a1") for line in (FAILED, LOST)))
    async with stage.judging() as task:
        await stage.until(task, 1)
        assert (await stage.incidents.live())[0].incident.client is whose


class Late:
    """A vCenter that tells of a copy that died when it is let to, if it is asked about the host where it did."""

    def __init__(self, *, host: str, vm: str) -> None:
        self.let, self.asked = asyncio.Event(), asyncio.Event()
        self._died = VCenterEvent(
            7, datetime.now(UTC), "VmFailedMigrateEvent", EventWeight.ERROR, "", 7, vm=vm, host=host
        )

    async def find_task(self, _task, *, since):
        return None

    async def host_events(self, hosts, *, since, until):
        self.asked.set()
        await self.let.wait()
        return [self._died] if self._died.host in hosts else []


async def test_what_vcenter_says_late_takes_nothing_of_the_verdict_that_lines_gave_meanwhile(store):
    stage, vcenter = Stage(store), Late(host="esx-0001", vm="db01")
    asking = Outcomes({VCenterName(""): vcenter}, asked_after=[timedelta(0)])  # type: ignore[dict-item]
    stage.tools = replace(stage.tools, outcomes=lambda: asking)
    await stage.hear("esx-0001", FAILED, LOST)
    async with stage.judging() as task:
        await stage.until(task, 1)
        await vcenter.asked.wait()
        await stage.hear("esx-0002", RECEIVED.replace("{op}", "C65743A5-00000001"))
        await stage.until_it(lambda incident: incident.basis is Basis.BOTH_ENDS)
        vcenter.let.set()
        assert (await stage.until_it(lambda incident: incident.vms)).basis is Basis.BOTH_ENDS


async def test_vcenter_is_asked_about_the_hosts_that_speak_later_too(store):
    stage, vcenter = Stage(store), Late(host="esx-0002", vm="db01")
    asking = Outcomes({VCenterName(""): vcenter}, asked_after=[timedelta(0)] * 6)  # type: ignore[dict-item]
    stage.tools = replace(stage.tools, outcomes=lambda: asking)
    await stage.hear("esx-0001", FAILED, LOST)
    async with stage.judging() as task:
        await stage.until(task, 1)
        await vcenter.asked.wait()
        await stage.hear("esx-0002", RECEIVED.replace("{op}", "C65743A5-00000001"))
        await stage.until_it(lambda incident: incident.basis is Basis.BOTH_ENDS)
        vcenter.let.set()
        assert (await stage.until_it(lambda incident: incident.vms)).vms == ("db01",)


@pytest.mark.parametrize("kept", [2, 1])
async def test_a_judge_that_finds_lines_gone_says_so(store, caplog, kept):
    stage = Stage(store)
    await stage.hear("esx-0001", FAILED, LOST)
    async with stage.judging() as task:
        await stage.until(task, 1)
    await stage.hear("esx-0002", FAILED, LOST)
    await store.xtrim(keys.WATCHED, maxlen=kept, approximate=False)
    async with stage.judging() as task:
        await stage.until(task, 2)
    assert ("were dropped unread" in caplog.text) == (kept == 1)


async def test_an_entry_that_nobody_can_read_is_passed_over(store):
    stage = Stage(store)
    await store.xadd(keys.WATCHED, {"host": "east/esx", "log": "vpxa", "kind": "telepathy", "at": "1", "items": "[]"})
    await store.xadd(keys.WATCHED, {"nothing": "known"})
    await stage.hear("esx-0001", FAILED, LOST)
    async with stage.judging() as task:
        assert await stage.until(task, 1) == ["/esx-0001"]
    found = await stage.tools.lines.since(datetime.now(UTC) - timedelta(hours=1))
    assert [len(entry.items) for entry in found] == [0, 0, 2]


async def test_a_judge_of_many_weeks_remembers_a_bounded_number_of_failures(store, monkeypatch):
    monkeypatch.setattr(watch_judge, "MOST_JUDGED", 2)
    stage = Stage(store)
    judge = Judge(stage.tools, EPOCH)
    judging = asyncio.create_task(judge.serve())
    for number in range(5):
        await stage.hear(f"esx-{number:04}", FAILED, LOST)
        await stage.until(judging, number + 1)
    await stage.hear("esx-0000", LOST + " again")
    async with asyncio.timeout(10):
        while sum(case.incident.lines for case in await stage.incidents.live()) < 11:
            await asyncio.sleep(0.02)
    assert sum(case.incident.count for case in await stage.incidents.live()) == 5
    assert len(judge._judged) <= 2
    judging.cancel()
    await asyncio.gather(judging, return_exceptions=True)


async def test_who_takes_over_in_a_large_storm_counts_nothing_again(store, monkeypatch):
    """The incident no longer names all of its failures, and the lines of all are still there."""
    monkeypatch.setattr(growth, "MOST_FAILURES", 3)
    stage, host = Stage(store), "esx-0001"
    dying = [FAILED.replace("{op}", f"0000000{number}-0000024D") for number in range(9)]
    async with stage.judging() as judging:
        for text in dying[:8]:
            await stage.hear(host, text)
        await stage.until(judging, 1)
        before = await stage.until_it(lambda incident: incident.count == 8)
        assert len(before.failures) == 3
    async with stage.judging():
        await stage.hear(host, dying[8])
        after = await stage.until_it(lambda incident: "op 00000008-0000024d" in incident.failures)
    assert (after.count, after.lines) == (9, 9)


async def test_an_idle_judge_writes_nothing(store):
    stage = Stage(store)
    await stage.hear("esx-0001", FAILED, LOST)
    async with stage.judging() as task:
        await stage.until(task, 1)
        judge = await store.hash(keys.JUDGE)
        before = (await store.info("commandstats")).get("cmdstat_xread", {}).get("calls", 0)
        async with asyncio.timeout(15):
            while (await store.info("commandstats")).get("cmdstat_xread", {}).get("calls", 0) < before + 3:
                await asyncio.sleep(0.05)
        assert await store.hash(keys.JUDGE) == judge


class Unspeakable(RedisOutbox):
    """Cannot show one incident, by a defect."""

    async def show_alert(self, card):
        if card.subject == "n2fcalrt":
            raise KeyError(card.subject)
        await super().show_alert(card)


async def test_an_incident_that_cannot_be_shown_keeps_no_other_from_the_channel(store):
    stage = Stage(store)
    other = replace(an_incident(), id="n3fcalrt")
    await keep(store, an_incident(), other)
    speaker = Speaker(stage.speaking(outbox=Unspeakable(store)))
    await speaker.speak(await stage.incidents.live(), now=datetime.now(UTC))
    assert await store.exists(keys.outbox("card:n3fcalrt"))
    assert not await store.exists(keys.outbox("card:n2fcalrt"))


async def test_why_it_has_no_message_is_kept_for_the_digest(store):
    stage = Stage(store)
    await keep(store, an_incident(failed=0), channel="")
    speaker = Speaker(stage.speaking(loudness=Loudness()))
    await speaker.speak(await stage.incidents.live(), now=datetime.now(UTC))
    (case,) = await stage.incidents.live()
    assert case.standing.hushed == "observe"


async def test_a_mute_of_what_it_is_about_is_drawn_and_so_is_its_end(store):
    stage = Stage(store)
    incident = an_incident(links=("site1~site2",), link="site1~site2")
    await keep(store, incident)
    speaker = Speaker(stage.speaking())

    async def shown() -> str:
        await speaker.speak(await stage.incidents.live(), now=datetime.now(UTC))
        return await store.execute_command("HGET", keys.outbox(f"card:{INCIDENT}"), "text") or ""

    assert "muted" not in await shown()
    now = datetime.now(UTC)
    scope = Scope(ScopeKind.LINK, "site1~site2")
    await stage.incidents.mute(Mute(scope, now + timedelta(hours=1), "U7", now))
    assert "muted" in await shown()
    await stage.incidents.unmute(scope)
    assert "muted" not in await shown()


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
async def test_a_digest_is_of_the_whole_time_since_the_one_before(store, day, hours):
    stage = Stage(store)
    zone = ZoneInfo("Europe/Berlin")
    end = datetime.combine(datetime.fromisoformat(day), time(8), zone)
    first = end.astimezone(UTC) - timedelta(hours=hours)
    incident = an_incident(first=first + timedelta(minutes=1), last=first + timedelta(minutes=1), hosts={})
    await keep(store, replace(incident, heard=first + timedelta(minutes=1)), channel="")
    outbox = Shown(store)
    tools = DigestTools(
        incidents=stage.incidents,
        outbox=outbox,
        lines=stage.tools.lines,
        place=AlertPlace("C1"),
        loudness=Loudness(),
        at=time(8),
        zone=zone,
    )
    await DailyDigest(tools).post_if_due(end.astimezone(UTC) + timedelta(minutes=1))
    (card,) = outbox.cards
    assert f"{first:%Y-%m-%d %H:%M} to" in card.title


class Shown(RedisOutbox):
    """Remembers its cards."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.cards: list = []

    async def show_alert(self, card):
        self.cards.append(card)
        await super().show_alert(card)
