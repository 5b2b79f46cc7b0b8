"""A watch without Redis and Slack: failures come in as time goes by, and a channel shows what is to be shown."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from bot.diagnosis.causes import Basis, Cause
from bot.hostlog.line import HostKey
from bot.incidents.grouping import GroupingRules, judge, silent
from bot.incidents.incident import Case, Change, Client, Failure, Incident, IncidentId, Mute, State, Verdict
from bot.incidents.policy import Loudness, Mode, Speak, speaks

DUSK = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
ALERT = Loudness(mode=Mode.ALERT)
LINK = "site1~site2"
SYMPTOMS = (
    Cause.PACKET_LOSS,
    Cause.PORT_BLOCKED,
    Cause.TIMEOUT_SLOW_LINK,
    Cause.IDLE_TIMEOUT_RESET,
    Cause.UNDETERMINED,
)
CLIENTS = (Client.MIGRATION, Client.OTHER, Client.BACKUP, Client.REPLICATION)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def host(number: int, site: int = 1) -> HostKey:
    return HostKey(f"vc/esx-{site}{number:03}.example")


def failure(name: str, *, at: datetime = DUSK, hosts: Sequence[HostKey] = (host(1),), **told: Any) -> Failure:
    """A failure that begins and ends at one moment; `told` is whatever else is known of it."""
    known: dict[str, Any] = {
        "cause": Cause.PACKET_LOSS,
        "confidence": 0.45,
        "basis": Basis.LOG,
        "client": Client.MIGRATION,
        "first": at,
        "last": at,
        "lines": 3,
        "verdict": Verdict(headline=f"verdict of {name}"),
        "op_ids": (name,) if name.startswith("op") else (),
    }
    return Failure(id=name, hosts=tuple(hosts), **(known | told))


def dead_link(hosts: int, seed: int, *, start: datetime = DUSK) -> list[Failure]:
    """One failure of each host, some of which name nobody, and for each third host one more that does."""
    chance = random.Random(seed)
    found = []
    for number in range(hosts):
        at = start + timedelta(seconds=chance.randrange(240))
        told = {"cause": chance.choice(SYMPTOMS), "confidence": chance.choice((0.0, 0.4, 0.55)), "at": at}
        peer = host(chance.randrange(40), site=2)
        across = {"peer": peer, "peer_host": peer, "link": LINK, "sites": ("site1", "site2")}
        vm = f"vm-{number}"
        found.append(
            failure(f"op{number}", hosts=[host(number)], vm=vm, client=chance.choice(CLIENTS), **told, **across)
        )
        if number % 3 == 0:
            nameless = {"cause": Cause.UNDETERMINED, "confidence": 0.0, "client": Client.OTHER, "sites": ("site1",)}
            found.append(failure(f"text {number}", hosts=[host(number)], at=at, **nameless))
    chance.shuffle(found)
    return found


@dataclass
class Night:
    """`hear` is the judge, `sit` lets time pass; both look at silence, mutes and quiet hours as the bot does."""

    rules: GroupingRules = field(default_factory=GroupingRules)
    loudness: Loudness = ALERT
    resolve_after: timedelta = timedelta(hours=1)
    now: datetime = DUSK
    cases: dict[IncidentId, Case] = field(default_factory=dict)
    mutes: list[Mute] = field(default_factory=list)
    _ids: count[int] = field(default_factory=lambda: count(1))

    def hear(self, failures: Iterable[Failure], *, at: datetime | None = None) -> Sequence[Change]:
        self.now = at or self.now
        changes = judge(failures, self.kept(), now=self.now, rules=self.rules, new_id=self._new_id)
        self._keep(changes)
        self._look()
        return changes

    def sit(self, span: timedelta) -> None:
        self.now += span
        self._look()

    def move(self, incident: IncidentId, to: State, by: str = "U1") -> None:
        case = self.cases[incident]
        self.cases[incident] = replace(case, standing=replace(case.standing, state=to, by=by, at=self.now))

    def restart(self) -> None:
        """What is kept is all that a new judge knows, as Redis gives it."""
        self.cases = {case.incident.id: case for case in self.cases.values()}

    def kept(self) -> list[Case]:
        """As `Incidents.live` gives them."""
        day_ago = self.now - timedelta(days=1)
        return [
            case
            for case in self.cases.values()
            if not case.standing.state.ended or (_is_shown(case) and (case.standing.at or self.now) >= day_ago)
        ]

    @property
    def live(self) -> list[Incident]:
        return [case.incident for case in self.cases.values() if not case.standing.state.ended]

    @property
    def shown(self) -> list[Case]:
        """Those that have a message."""
        return [case for case in self.cases.values() if case.standing.channel]

    def state(self, incident: IncidentId) -> State:
        return self.cases[incident].standing.state

    def _new_id(self) -> IncidentId:
        return IncidentId(f"i{next(self._ids)}")

    def _keep(self, changes: Iterable[Change]) -> None:
        for change in changes:
            known = self.cases.get(change.incident.id)
            standing = change.standing or (known and known.standing)
            assert standing is not None, "what is new stands somehow"
            self.cases[change.incident.id] = Case(change.incident, standing)

    def _look(self) -> None:
        self._keep(silent(self.kept(), now=self.now, after=self.resolve_after))
        for case in list(self.cases.values()):
            verdict = speaks(case, loudness=self.loudness, mutes=self.mutes, now=self.now)
            if isinstance(verdict, Speak) and not case.standing.channel:
                standing = replace(case.standing, channel="C1", spoken_at=self.now)
                self.cases[case.incident.id] = replace(case, standing=standing)


def _is_shown(case: Case) -> bool:
    return case.standing.state is State.RESOLVED or bool(case.standing.channel)
