"""Which failures are one incident: new ones, grown ones, those that come back, and storms that take others in. Pure.

docs/decisions/0008-what-is-one-incident.md says what is one and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.incidents.growth import begun, grown, merged
from bot.incidents.incident import Case, Change, Client, Failure, Incident, IncidentId, Standing, State
from bot.incidents.likeness import Tie, mixable, related, tie


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingRules:
    """How far things may be apart to be one.

    `window`: in time, while an incident lives. `hosts` of one incident within `storm_within` make it a storm. What was
    resolved comes back within `flap_within`; `grace`: after a person resolved it, what comes is still taken for the
    rest of it.
    """

    window: timedelta = timedelta(hours=1)
    hosts: int = 3
    storm_within: timedelta = timedelta(minutes=10)
    flap_within: timedelta = timedelta(hours=6)
    grace: timedelta = timedelta(minutes=10)


DEFAULT: Final = GroupingRules()
_FLAPS_BY: Final = Tie.HOST
"""What only happens beside something that is over does not bring it back."""


def place(failure: Failure, cases: Iterable[Case], *, now: datetime, rules: GroupingRules = DEFAULT) -> Case | None:
    """The incident that this failure belongs to; None if it is a new one."""
    known = {case.incident.id: case for case in cases}
    found = [(_tie(failure, case, now, rules), case) for case in known.values()]
    best = max(found, key=_preferred, default=None)
    if best is None or best[0] is Tie.NONE:
        return None
    return _survivor(best[1], known)


def judge(
    failures: Iterable[Failure],
    cases: Sequence[Case],
    *,
    now: datetime,
    new_id: Callable[[], IncidentId],
    rules: GroupingRules = DEFAULT,
) -> Sequence[Change]:
    """What becomes of the incidents by failures that are new or grew: those that are to be kept anew, each once.

    The same failures give the same number of incidents in whatever order they come, as far as one of them is a storm.
    """
    docket = _Docket(cases, now, rules, new_id)
    for failure in sorted(failures, key=lambda failure: (failure.first, failure.id)):
        docket.take(failure)
    return docket.changes()


def silent(cases: Iterable[Case], *, now: datetime, after: timedelta) -> Sequence[Change]:
    """Those of which nothing was heard for so long: they end by themselves, acknowledged or not."""
    return [
        Change(case.incident, replace(case.standing, state=State.RESOLVED, by="", at=now), case.standing)
        for case in cases
        if not case.standing.state.ended and now - heard_of(case) >= after
    ]


def heard_of(case: Case) -> datetime:
    """When something happened to it last: lines, or a person."""
    incident, standing = case.incident, case.standing
    return max(filter(None, (incident.heard or incident.last, standing.opened_at, standing.at)))


class _Docket:
    """The cases while failures are added to them."""

    def __init__(
        self, cases: Iterable[Case], now: datetime, rules: GroupingRules, new_id: Callable[[], IncidentId]
    ) -> None:
        self._given = {case.incident.id: case for case in cases}
        self._cases = dict(self._given)
        self._now = now
        self._rules = rules
        self._new_id = new_id

    def take(self, failure: Failure) -> None:
        case = place(failure, self._cases.values(), now=self._now, rules=self._rules)
        if case is None:
            incident = begun(failure, self._new_id(), now=self._now)
            case = Case(incident, Standing(opened_at=self._now))
        before = case.incident
        incident = grown(before, failure, now=self._now)
        flaps = incident.lines > before.lines and self._comes_back(case, failure)
        if flaps:
            incident = replace(incident, flaps=incident.flaps + 1)
        standing = replace(case.standing, state=State.OPEN, by="", at=self._now) if flaps else case.standing
        self._cases[incident.id] = Case(incident, standing)
        if not standing.state.ended:
            self._gather(incident.id)

    def changes(self) -> list[Change]:
        found = []
        for name, case in self._cases.items():
            given = self._given.get(name)
            if case != given:
                before = given.standing if given else None
                found.append(Change(case.incident, *((None,) if before == case.standing else (case.standing, before))))
        return found

    def _comes_back(self, case: Case, failure: Failure) -> bool:
        """Lines of what had failed when a person resolved it only count; a copy that dies after that is news."""
        standing = case.standing
        if standing.state is not State.RESOLVED:
            return False
        if not standing.by or standing.at is None or failure.first > standing.at:
            return True
        return self._now - standing.at >= self._rules.grace

    def _gather(self, name: IncidentId) -> None:
        """Take in what belongs to it, until nothing more does: in a storm whosever it is."""
        while True:
            incident, kin = self._cases[name].incident, self._kin(name)
            if not incident.storm and _is_storm([incident, *(case.incident for case in kin)], self._rules):
                self._replace(name, replace(incident, storm=True))
                continue  # a storm has more kin
            joining = [case for case in kin if incident.storm or case.incident.storm or self._alike(incident, case)]
            if not joining:
                return
            for case in joining:
                name = self._join(name, case.incident.id)

    def _alike(self, incident: Incident, case: Case) -> bool:
        return mixable(incident.client, case.incident.client)

    def _kin(self, name: IncidentId) -> list[Case]:
        mine = self._cases[name].incident
        return [
            case
            for case in self._cases.values()
            if case.incident.id != name
            and not case.standing.state.ended
            and related(mine, case.incident, window=self._rules.window)
        ]

    def _join(self, one: IncidentId, other: IncidentId) -> IncidentId:
        """Make one of two, and return which is left: what has a message, else a storm, else what was first."""
        keep, goes = sorted((self._cases[one], self._cases[other]), key=_seniority)
        incident = merged(keep.incident, goes.incident)
        if goes.incident.id in self._given:
            end = replace(goes.standing, state=State.MERGED, by="", at=self._now, into=keep.incident.id)
            self._cases[goes.incident.id] = Case(goes.incident, end)
        else:  # nobody has heard of it, nor of what it has taken in just now
            del self._cases[goes.incident.id]
            self._lead(goes.incident.id, keep.incident.id)
            incident = replace(incident, merged=tuple(m for m in incident.merged if m != goes.incident.id))
        self._cases[keep.incident.id] = Case(incident, keep.standing)
        return keep.incident.id

    def _lead(self, gone: IncidentId, into: IncidentId) -> None:
        """What went up in one that is gone has gone up in another."""
        for name, case in self._cases.items():
            if case.standing.into == gone:
                self._cases[name] = replace(case, standing=replace(case.standing, into=into))

    def _replace(self, name: IncidentId, incident: Incident) -> None:
        self._cases[name] = replace(self._cases[name], incident=incident)


def _tie(failure: Failure, case: Case, now: datetime, rules: GroupingRules) -> Tie:
    standing = case.standing
    if not standing.state.ended:
        return tie(failure, case.incident, window=rules.window)
    ended = standing.at or case.incident.last
    found = tie(failure, case.incident, window=rules.flap_within)
    if found is Tie.SAME:
        return found
    recent = standing.state is State.RESOLVED and now - ended <= rules.flap_within
    return found if recent and found >= _FLAPS_BY else Tie.NONE


def _preferred(found: tuple[Tie, Case]) -> tuple[bool, bool, Tie, float, str]:
    """What it is in already, then what lives, then what binds most; of equals the first."""
    strength, case = found
    lives = strength is not Tie.NONE and not case.standing.state.ended
    return strength is Tie.SAME, lives, strength, -case.incident.first.timestamp(), case.incident.id


def _survivor(case: Case, known: dict[IncidentId, Case]) -> Case | None:
    """What it went up in, if it did."""
    seen: set[IncidentId] = set()
    while case.standing.state is State.MERGED:
        into = case.standing.into
        if into is None or into in seen or into not in known:
            return None
        seen.add(into)
        case = known[into]
    return case


def _seniority(case: Case) -> tuple[bool, bool, datetime, datetime, str]:
    standing, incident = case.standing, case.incident
    return not standing.channel, not incident.storm, standing.opened_at, incident.first, incident.id


def _is_storm(incidents: Sequence[Incident], rules: GroupingRules) -> bool:
    """Enough hosts within a short time, and more than one copy; what the bot started itself is no storm."""
    if any(incident.client is Client.OURS for incident in incidents):
        return False
    last = max(incident.last for incident in incidents)
    hosts = {
        host
        for incident in incidents
        for host, count in incident.hosts.items()
        if last - count.last <= rules.storm_within
    }
    return len(hosts) >= rules.hosts and sum(incident.count for incident in incidents) > 1
