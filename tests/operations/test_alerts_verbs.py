"""What people do about incidents, on a real queue and real incidents: rights by site, one deed, one line of audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.errors import RefusedError, UserError
from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.incidents.incident import Client, IncidentId, Scope, ScopeKind, State
from bot.logs.port import HostTally
from bot.migration.calendar import Calendar
from bot.operations.counter import Alerting
from bot.operations.desk import Desk
from bot.operations.home import home
from bot.operations.port import MuteOrder, Person
from bot.operations.rights import Verb
from bot.store import keys
from bot.store.client import connect
from tests.operations.alerts_stage import ALICE, BOB, INCIDENT, alert_counter, an_incident, keep, standing
from tests.operations.counter_stage import audited

HOUR = timedelta(hours=1)


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


class Noted:
    """Escalations that remember what they were asked to look at."""

    def __init__(self) -> None:
        self.looked: list[str] = []

    async def look_again(self, incident):
        self.looked.append(incident)

    async def of(self, incident):
        return ()


async def shown(store) -> str:
    """The newest look of the incident's message that waits for Slack."""
    return await store.execute_command("HGET", keys.outbox(f"card:{INCIDENT}"), "text")


async def test_whoever_takes_it_is_on_the_message_at_once_and_nobody_else_is_woken(store):
    await keep(store, an_incident())
    escalations = Noted()
    counter = alert_counter(store, Verb.ALERTS, sites=("site2",), escalations=escalations)
    said = await Desk(counter).acknowledge(ALICE, INCIDENT)
    assert said.text == "You have it: nobody else is woken."
    assert (await standing(store)).state is State.ACKNOWLEDGED
    assert escalations.looked == [INCIDENT]
    assert "acknowledged" in await shown(store)
    again = await Desk(counter).acknowledge(ALICE, INCIDENT)
    assert again.text == said.text
    assert await audited(counter) == [
        ("acknowledge", INCIDENT, "Packet loss at site1, site2: 3 hosts, 7 failures"),
    ]


async def test_the_second_one_reads_who_was_first(store):
    await keep(store, an_incident())
    counter = alert_counter(store, Verb.ALERTS)
    await counter.incidents.move(INCIDENT, State.ACKNOWLEDGED, by=BOB.user_id)
    told = await Desk(counter).acknowledge(ALICE, INCIDENT)
    assert (told.text, told.people) == ("Nothing changed: U2 has acknowledged it already.", ["U2"])
    await counter.incidents.move(INCIDENT, State.RESOLVED, by=BOB.user_id)
    with pytest.raises(UserError, match="U2 resolved it"):
        await Desk(counter).acknowledge(ALICE, INCIDENT)
    assert (await standing(store)).state is State.RESOLVED


async def test_what_is_over_shows_it_and_comes_back_by_itself_alone(store):
    await keep(store, an_incident())
    counter = alert_counter(store, Verb.ALERTS)
    assert "Resolved" in (await Desk(counter).resolve(ALICE, INCIDENT)).text
    assert "resolved" in await shown(store)
    assert (await standing(store)).by == ALICE.user_id


@pytest.mark.parametrize("verb", ["acknowledge", "resolve", "mute_choices"])
async def test_one_site_of_it_is_enough_another_one_is_not(store, verb):
    await keep(store, an_incident())
    desk = Desk(alert_counter(store, Verb.ALERTS, sites=("site3",)))
    with pytest.raises(RefusedError):
        await getattr(desk, verb)(ALICE, INCIDENT)
    stranger = Person(user_id="U9", channel="C1")
    with pytest.raises(RefusedError):
        await getattr(Desk(alert_counter(store, Verb.ALERTS)), verb)(stranger, INCIDENT)
    assert (await standing(store)).state is State.OPEN


async def test_what_is_at_no_site_is_for_those_who_may_everywhere(store):
    await keep(store, an_incident(sites=()))
    with pytest.raises(RefusedError, match="everywhere"):
        await Desk(alert_counter(store, Verb.ALERTS, sites=("site1", "site2"))).acknowledge(ALICE, INCIDENT)
    await Desk(alert_counter(store, Verb.ALERTS)).acknowledge(ALICE, INCIDENT)


async def test_a_refusal_is_in_the_audit_log_and_what_is_gone_gets_a_sentence(store):
    await keep(store, an_incident())
    counter = alert_counter(store, Verb.SEE)
    with pytest.raises(RefusedError):
        await Desk(counter).resolve(ALICE, INCIDENT)
    assert [(verb, on) for verb, on, _ in await audited(counter)] == [("refused", INCIDENT)]
    with pytest.raises(UserError, match="no incident"):
        await Desk(counter).resolve(ALICE, IncidentId("gonegone"))
    with pytest.raises(UserError, match=r"coldmigrate\.toml"):
        await Desk(replace(counter, incidents=None)).alerts_list(ALICE)


@pytest.mark.parametrize(
    ("typed", "scope"),
    [
        (Scope(ScopeKind.HOST, "ESX-01"), "host:esx-01.example.net"),
        (Scope(ScopeKind.HOST, "esx-11.example.net"), "host:esx-11.example.net"),
        (Scope(ScopeKind.LINK, "site2~site1"), "link:site1~site2"),
        (Scope(ScopeKind.VM, "WEB01"), "vm:web01"),
        (Scope(ScopeKind.CAUSE, "Packet loss"), "cause:packet_loss"),
        (Scope(ScopeKind.CLIENT, "Backup"), "client:backup"),
        (Scope(ScopeKind.ALL), "all"),
        (f"incident:{INCIDENT}", f"incident:{INCIDENT}"),
    ],
    ids=str,
)
async def test_a_mute_is_of_what_was_meant_and_is_taken_back_by_the_same_words(store, typed, scope):
    await keep(store, an_incident())
    counter = alert_counter(store, Verb.ALERTS)
    said = await Desk(counter).mute(ALICE, MuteOrder(scope=typed, span=2 * HOUR, why="  planned\nwork "))
    [mute] = await counter.incidents.mutes()
    assert (str(mute.scope), mute.by, mute.why) == (scope, "U1", "planned work")
    assert mute.until - mute.at == 2 * HOUR
    assert said.text.startswith("Muted: ")
    assert "No longer muted" in (await Desk(counter).unmute(ALICE, str(typed))).text
    assert await counter.incidents.mutes() == []
    assert [(verb, on) for verb, on, _ in await audited(counter)] == [("mute", scope), ("unmute", scope)]


async def test_a_muted_incident_says_so_and_unmuted_it_asks_again(store):
    await keep(store, an_incident())
    desk = Desk(alert_counter(store, Verb.ALERTS))
    await desk.mute(ALICE, MuteOrder(scope=f"incident:{INCIDENT}", span=2 * HOUR))
    assert ": muted." in await shown(store)
    await desk.unmute(ALICE, f"incident:{INCIDENT}")
    assert ": open." in await shown(store)
    await desk.mute(ALICE, MuteOrder(scope="client:backup", span=2 * HOUR))
    assert ": muted." in await shown(store)
    await desk.unmute(ALICE, "client:backup")
    assert ": open." in await shown(store)
    await desk.mute(ALICE, MuteOrder(scope="host:esx-01", span=2 * HOUR))
    assert ": open." in await shown(store)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (Scope(ScopeKind.HOST, "esx-07"), "I watch no host 'esx-07'. Did you mean esx-"),
        (Scope(ScopeKind.HOST, "<!channel>"), "I watch no host"),
        (Scope(ScopeKind.VM, "nobody"), "I know no VM 'nobody'"),
        (Scope(ScopeKind.CAUSE, "packet lost"), "Did you mean packet_loss"),
        (Scope(ScopeKind.CLIENT, "veeam"), "There is no client 'veeam'"),
        (Scope(ScopeKind.LINK, "site1~site1"), "two different ends"),
        (Scope(ScopeKind.LINK, "site1~site9"), "no site 'site9'"),
        ("nonsense", "says not what"),
    ],
    ids=str,
)
async def test_what_is_not_known_is_not_muted(store, typed, said):
    await keep(store, an_incident())
    counter = alert_counter(store, Verb.ALERTS)
    with pytest.raises(UserError, match=said):
        await Desk(counter).mute(ALICE, MuteOrder(scope=typed, span=HOUR))
    assert await counter.incidents.mutes() == []


@pytest.mark.parametrize("span", [timedelta(minutes=59), timedelta(days=30, seconds=1)])
async def test_a_mute_is_neither_too_short_nor_for_ever(store, span):
    with pytest.raises(UserError, match="lasts from"):
        await Desk(alert_counter(store, Verb.ALERTS)).mute(ALICE, MuteOrder(scope="all", span=span))


async def test_until_the_morning_is_meant_where_the_config_is_at_home(store):
    berlin = ZoneInfo("Europe/Berlin")
    counter = alert_counter(store, Verb.ALERTS, calendar=Calendar(zone=berlin))
    await Desk(counter).mute(ALICE, MuteOrder(scope="all", span=None))
    [mute] = await counter.incidents.mutes()
    assert (mute.until.astimezone(berlin).hour, mute.until.astimezone(berlin).minute) == (8, 0)
    assert HOUR <= mute.until - mute.at <= 25 * HOUR


@pytest.mark.parametrize("scope", ["all", "cause:packet_loss", "client:backup", "host:esx-01.example.net", "vm:web01"])
async def test_what_counts_at_every_site_is_not_muted_by_those_of_one(store, scope):
    await keep(store, an_incident())
    counter = alert_counter(store, Verb.ALERTS, sites=("site2",))
    with pytest.raises(RefusedError):
        await Desk(counter).mute(ALICE, MuteOrder(scope=scope, span=HOUR))
    await Desk(counter).mute(ALICE, MuteOrder(scope="host:esx-11.example.net", span=HOUR))
    await Desk(counter).mute(ALICE, MuteOrder(scope="link:site1~site2", span=HOUR))


async def test_only_what_somebody_may_mute_is_offered(store):
    await keep(store, an_incident(link="site1~site2"))
    every = await Desk(alert_counter(store, Verb.ALERTS)).mute_choices(ALICE, INCIDENT)
    assert [scope.partition(":")[0] for _, scope in every] == [
        *("incident", "host", "host", "host", "vm", "vm", "link", "cause", "client"),
    ]
    some = await Desk(alert_counter(store, Verb.ALERTS, sites=("site2",))).mute_choices(ALICE, INCIDENT)
    assert [scope for _, scope in some] == [
        f"incident:{INCIDENT}",
        "host:esx-11.example.net",
        "link:site1~site2",
    ]


async def test_where_alerts_go_is_said_by_those_who_may_everywhere(store):
    counter = alert_counter(store, Verb.ALERTS)
    assert "observe" in (await Desk(counter).alerts_here(ALICE, "C1")).text
    assert (await counter.incidents.place()).channel == "C1"
    await Desk(counter).alerts_off(ALICE)
    assert (await counter.incidents.place()).channel == ""
    with pytest.raises(RefusedError):
        await Desk(alert_counter(store, Verb.ALERTS, sites=("site1",))).alerts_off(ALICE)


async def test_the_list_has_what_they_may_see_and_nothing_else(store):
    here, there = an_incident(sites=("site1",)), an_incident(id=IncidentId("elsewhr2"), sites=("site2",))
    await keep(store, here, there)
    counter = alert_counter(store, Verb.SEE, sites=("site1",), alerting=Alerting("C1", speaks=True))
    await Desk(alert_counter(store, Verb.ALERTS)).mute(ALICE, MuteOrder(scope="client:backup", span=HOUR, why="tests"))
    told = await Desk(counter).alerts_list(ALICE)
    assert told.text.startswith("1 incident now")
    assert [entry.title for entry in told.entries] == [
        "🔕 Packet loss at site1: 3 hosts, 7 failures",
        "🔕 All copies of the client 'backup' (tests)",
    ]
    assert told.entries[1].text.startswith("muted for another ")
    assert told.entries[1].person == "U1"
    seen = await home(counter, ALICE)
    assert [glance.incident for glance in seen.incidents] == [INCIDENT]
    assert [glance.by for glance in seen.mutes] == ["U1"]


async def test_status_names_what_is_wrong_and_counts_the_rest(store):
    now = datetime.now(UTC)

    def tally(number: int, **more) -> HostTally:
        more = {"heard_at": now, "behind": timedelta(seconds=0.4), "lines": 1000} | more
        return HostTally(HostKey(f"east/esx-{number:03}"), more.pop("kind", SourceKind.SYSLOG), **more)

    tallies = [
        *(tally(number) for number in range(100)),
        *(tally(number, kind=SourceKind.SSH, trouble=f"<!channel> {'refused ' * 50}") for number in range(200, 220)),
        tally(300, throttled=12_000, gaps=2),
        tally(301, heard_at=now - timedelta(hours=2)),
        HostTally(HostKey("nowhere/esx-x"), SourceKind.API),
        HostTally(HostKey("/10.0.0.9"), SourceKind.SYSLOG, lines=77),
    ]

    async def every():
        return tallies

    told = await Desk(alert_counter(store, Verb.SEE, tallies=every)).alerts_status(ALICE)
    assert told.text.splitlines()[0] == "123 hosts are watched."
    assert told.lines[0] == "syslog: 102 hosts, 102,000 lines, at most 0.4 s behind, 2 gaps"
    assert "Cannot be read: 20" in told.lines
    assert "  and 12 more" in told.lines
    assert "  esx-301: for 2 h 00 min" in told.lines
    assert "  esx-300: 12,000 lines not looked at" in told.lines
    assert told.lines[-2:] == ["Senders that are no host of a vCenter: 1", "  10.0.0.9: 77 lines"]
    assert len(told.lines) < 30
    assert max(map(len, told.lines)) < 100
    fewer = await Desk(alert_counter(store, Verb.SEE, sites=("site1",), tallies=every)).alerts_status(ALICE)
    assert fewer.text.splitlines()[0] == "122 hosts are watched."


async def test_status_says_where_alerts_go_and_who_judges(store):
    judge: list[str] = []

    async def judging():
        return judge[0] if judge else ""

    def counter(*, speaks):
        return alert_counter(store, Verb.SEE, Verb.ALERTS, judging=judging, alerting=Alerting("C1", speaks=speaks))

    told = await Desk(counter(speaks=False)).alerts_status(ALICE)
    assert "Mode 'observe': one digest a day goes to C1. No watcher judges" in told.text
    judge.append("watcher-1-42-beef")
    told = await Desk(counter(speaks=True)).alerts_status(ALICE)
    assert "Mode 'alert': messages go to C1. Watcher watcher-1-42-beef judges." in told.text
    assert told.people == ["C1"]
    await Desk(counter(speaks=True)).alerts_off(ALICE)
    assert (
        "Alerts go nowhere in Slack, and nobody is woken"
        in (await Desk(counter(speaks=True)).alerts_status(ALICE)).text
    )


@pytest.mark.parametrize(
    ("changes", "hushed", "said"),
    [
        ({}, "observe", "open; no message: the mode is 'observe'; last seen "),
        ({"client": Client.OURS, "job": "k3q7m2xa"}, "", "no message: it is told in the thread of migration k3q7m2xa;"),
    ],
)
async def test_the_list_says_why_an_incident_has_no_message(store, changes, hushed, said):
    kept = await keep(store, an_incident(**changes), channel="")
    await kept.hush(INCIDENT, hushed)
    (entry,) = (await Desk(alert_counter(store, Verb.SEE)).alerts_list(ALICE)).entries
    assert said in entry.text


async def test_help_names_what_they_may_do(store):
    assert "mute" in "\n".join((await Desk(alert_counter(store, Verb.ALERTS)).alerts_help(ALICE)).lines)
    assert "mute" not in "\n".join((await Desk(alert_counter(store, Verb.SEE)).alerts_help(ALICE)).lines).replace(
        "what is muted", ""
    )
    assert "nothing" in (await Desk(alert_counter(store)).alerts_help(ALICE)).text


async def _posted(store) -> None:
    """As the drainer leaves it once the message is in Slack."""
    await store.hset(keys.card(INCIDENT), mapping={"channel": "C1", "ts": "1700000000.000100"})


async def test_its_lines_go_into_its_thread_once(store):
    await keep(store, an_incident())
    desk = Desk(alert_counter(store, Verb.SEE))
    with pytest.raises(UserError, match="not in Slack yet"):
        await desk.incident_lines(ALICE, INCIDENT)
    await _posted(store)
    for _ in range(2):
        assert "thread" in (await desk.incident_lines(ALICE, INCIDENT)).text
    assert await store.execute_command("LLEN", keys.outbox(f"replies:{INCIDENT}")) == 1


async def test_a_diagnosis_is_of_the_surest_host_from_before_it_began_and_in_its_thread(store):
    counter = alert_counter(store, Verb.DIAGNOSE, sites=("site2",))
    await keep(store, an_incident(first=await counter.queue.now() - HOUR))
    await _posted(store)
    told = await Desk(counter).diagnose_incident(ALICE, INCIDENT, dedupe="click-1")
    assert "esx-01.example.net" in told.text
    [job] = await counter.queue.recent(limit=5)
    assert job.data["inquiry_thread"] == "1700000000.000100"
    since = timedelta(seconds=float(job.data["inquiry_since"]))
    assert timedelta(minutes=70) <= since < timedelta(minutes=71)
    with pytest.raises(RefusedError):
        await Desk(alert_counter(store, Verb.SEE)).diagnose_incident(ALICE, INCIDENT, dedupe="click-2")


def test_clients_are_all_named():
    assert {client.value for client in Client} == {"ours", "migration", "backup", "replication", "other"}
