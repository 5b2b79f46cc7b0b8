"""An incident, cases that stand as a test says, and sinks that are served, for the tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.diagnosis.causes import Basis, Cause
from bot.errors import OutsideError
from bot.hostlog.line import HostKey
from bot.incidents.escalations import RedisEscalations
from bot.incidents.incident import Change, Client, HostCount, Incident, IncidentId, Standing, State, Verdict
from bot.incidents.kept import RedisIncidents
from bot.incidents.port import Action, Page
from bot.operations.escalate import EscalationTools, escalate_for_ever
from bot.slack.outbox import RedisOutbox
from bot.store import keys
from bot.store.client import Store
from tests.incidents.conftest import EPOCH

CHANNEL = "C0MIGRATE1"
INCIDENT = IncidentId("n3q7m2xa")
PATIENCE = timedelta(minutes=10)
AT = datetime(2026, 11, 23, 1, 42, 7, 315_000, UTC)
HOSTILE = "web01 <!channel> \x1b[31m\u202egnp"

PAGE = Page(
    id="n3q7m2xa-1-trigger",
    key="n3q7m2xa-1",
    action=Action.TRIGGER,
    summary="NFC session died while data was flowing, between site1 and site2 (3 hosts, 7 failures)",
    severity="critical",
    source="site1~site2",
    cause="packet_loss",
    client="migration",
    at=AT,
    verdict="NFC session died while data was flowing. Check next: measure the path.",
    hosts=("esx-01.example.net", "esx-02.example.net"),
    vms=("web01",),
    link="https://example.slack.com/archives/C0MIGRATE1/p1700000000000100",
    lines=("vpxa of esx-01, decisive: NfcNetTcpWrite: bWritten: -1",),
)


def incident_of(incident_id: IncidentId = INCIDENT, **changes) -> Incident:
    plain = Incident(
        id=incident_id,
        cause=Cause.PACKET_LOSS,
        confidence=0.6,
        basis=Basis.LOG,
        client=Client.MIGRATION,
        first=AT,
        last=AT,
        count=7,
        lines=63,
        hosts={HostKey(f"east/esx-{n:02}.example.net"): HostCount(failures=n, lines=9, last=AT) for n in range(1, 4)},
        verdict=Verdict(
            headline="NFC session died while data was flowing.",
            known=("It had sent 4096 bytes",),
            next_checks=("Measure the path",),
            lines=(f"vpxa.log, decisive: {HOSTILE}",),
        ),
        failed=2,
        link="site1~site2",
        links=("site1~site2",),
        vms=(HOSTILE,),
    )
    return replace(plain, **changes)


@dataclass
class Cases:
    """How incidents stand, in Redis: a test changes that as the judge, people and silence would."""

    incidents: RedisIncidents

    async def stands(
        self, state: State, incident_id: IncidentId = INCIDENT, *, channel: str = CHANNEL, **changes
    ) -> None:
        if await self.incidents.get(incident_id) is None:
            found = Change(incident_of(incident_id, **changes), Standing(opened_at=AT))
            assert await self.incidents.commit(EPOCH, after="1-1", changes=[found])
            if channel:
                await self.incidents.spoken(incident_id, channel)
        await self.incidents.move(incident_id, state, by="U0ALICE001")


@dataclass
class Recording:
    """A sink that keeps what it is told; `fails` is raised instead, as long as there is one."""

    name: str = "night shift"
    pages: list[Page] = field(default_factory=list)
    fails: OutsideError | None = None
    tries: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, page: Page) -> None:
        self.tries += 1
        self.heard.set()
        if self.fails is not None:
            raise self.fails
        self.pages.append(page)

    async def on_call(self):
        return ("Ada Lovelace",)

    async def where(self, key: str) -> str:
        return f"https://pager.example.net/{key}" if self.pages else ""

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(page.key, str(page.action)) for page in self.pages]


def tools_of(store: Store, **changes) -> EscalationTools:
    plain = EscalationTools(
        incidents=RedisIncidents(store),
        tellings=RedisEscalations(store),
        outbox=RedisOutbox(store),
        poll=timedelta(milliseconds=50),
        message_within=timedelta(0),  # nobody posts it here, but for the tests of the thread
    )
    return replace(plain, **changes)


@asynccontextmanager
async def serving(tools: EscalationTools, *sinks) -> AsyncIterator[None]:
    """Each sink is served by a task of its own, as compose does it."""
    tasks = [asyncio.create_task(escalate_for_ever(tools, sink)) for sink in sinks]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def until(condition, *, within: float = 20.0) -> None:
    """Wait until something holds that another task brings about through Redis or a socket."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.01)


async def settled(store: Store, sink: str = "night shift", incident: str = INCIDENT) -> Mapping[str, str]:
    """The record, once nobody is at it and nothing of it is due."""
    key = keys.escalation(incident, sink)
    async with asyncio.timeout(20):
        while True:
            record = await store.hash(key)
            due = await store.zscore(keys.escalations(sink), incident)
            now = float((await store.time())[0]) * 1000 + float(await store.get(keys.CLOCK_SKEW) or 0)
            idle = "fence" not in record and (due is None or float(due) > now + 1000)
            if record and idle and await store.hash(key) == record:
                return record
            await asyncio.sleep(0.01)
