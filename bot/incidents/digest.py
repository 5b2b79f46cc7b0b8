"""A day's digest: in observe mode what would have alerted, in alert mode what was kept quiet and why. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from bot.incidents.incident import Case, Client, Incident, Mute, State
from bot.incidents.policy import Hushed, Loudness, Mode, speaks, would_speak

COLUMNS: Final = ("What", "Alert", "Failures", "Ended copies", "Whose", "First seen")
MOST_ROWS: Final = 100
_LONGEST: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """`rows` have the columns `COLUMNS`; `left_out` counts what did not fit. `loud`: have a message, or would have."""

    title: str
    sentences: Sequence[str]
    rows: Sequence[Sequence[str]]
    left_out: int = 0
    loud: int = 0


def digest(
    cases: Iterable[Case],
    *,
    title: Callable[[Incident], str],
    loudness: Loudness,
    mutes: Sequence[Mute] = (),
    begin: datetime,
    end: datetime,
) -> Digest:
    """The digest of what was live between `begin` and `end`. Those that went up in others are counted with these.

    `title` puts an incident into one line. What is loud comes first, then what is largest.
    """
    shown = [case for case in cases if _counts(case, begin, end)]
    verdicts = [(case, _said(case, loudness, mutes, end)) for case in shown]
    verdicts.sort(key=lambda one: (not _loud(one[0], loudness), *_size(one[0].incident)))
    loud = sum(_loud(case, loudness) for case in shown)
    return Digest(
        title=_title(shown, begin, end),
        sentences=list(_sentences(shown, loudness, loud)),
        rows=[_row(case.incident, title(case.incident), said) for case, said in verdicts[:MOST_ROWS]],
        left_out=max(0, len(verdicts) - MOST_ROWS),
        loud=loud,
    )


def _counts(case: Case, begin: datetime, end: datetime) -> bool:
    """Whether lines of it came within that time: what only waits for its end is no news."""
    heard = case.incident.heard or case.incident.last
    return case.standing.state is not State.MERGED and heard >= begin and case.standing.opened_at < end


def _loud(case: Case, loudness: Loudness) -> bool:
    return bool(case.standing.channel) or (loudness.mode is Mode.OBSERVE and would_speak(case, loudness=loudness))


def _said(case: Case, loudness: Loudness, mutes: Sequence[Mute], now: datetime) -> str:
    """Why it had a message, or had none, or what it would have had."""
    if case.standing.channel:
        return "yes"
    if loudness.mode is Mode.OBSERVE and would_speak(case, loudness=loudness):
        return "would have"
    if case.standing.hushed and loudness.mode is Mode.ALERT:
        return case.standing.hushed
    live = replace(case, standing=replace(case.standing, state=State.OPEN))
    alerting = replace(loudness, mode=Mode.ALERT)
    verdict = speaks(live, loudness=alerting, mutes=mutes, now=now)
    return verdict.reason if isinstance(verdict, Hushed) else "over before it could be told"


def _size(incident: Incident) -> tuple[bool, int, int, datetime, str]:
    return not incident.storm, -incident.failed, -incident.count, incident.first, incident.id


def _title(shown: Sequence[Case], begin: datetime, end: datetime) -> str:
    span = f"{_stamp(begin)} to {_stamp(end)} UTC"
    if not shown:
        return f"No NFC failures, {span}"
    failures = sum(case.incident.count for case in shown)
    return f"{_many(failures, 'NFC failure')} in {_many(len(shown), 'incident')}, {span}"


def _sentences(shown: Sequence[Case], loudness: Loudness, loud: int) -> Iterator[str]:
    if loudness.mode is Mode.OBSERVE:
        would = f"{_many(loud, 'message')} would have been posted" if loud else "Nothing would have been posted"
        yield f'{would} in alert mode. The mode is "observe": this digest is all that is said.'
    elif shown:
        quiet = len(shown) - loud
        yield f"{_many(loud, 'incident')} had a message, {quiet} had none; the table says why."
    if not shown:
        return
    clients = Counter(case.incident.client for case in shown)
    yield "Whose copies: " + ", ".join(f"{clients[client]} {client}" for client in Client if clients[client]) + "."
    hosts = {host for case in shown for host in case.incident.hosts}
    ended = sum(case.incident.failed for case in shown)
    surely = f"{_many(ended, 'failure')} surely ended a copy" if ended else "none surely ended a copy"
    yield f"{_many(len(hosts), 'host')} told of them; {surely}."
    if live := sum(not case.standing.state.ended for case in shown):
        yield f"{_many(live, 'incident')} {'is' if live == 1 else 'are'} not over."


def _row(incident: Incident, title: str, said: str) -> tuple[str, ...]:
    failed = str(incident.failed) if incident.failed else "-"
    whose = incident.client.value
    return _cut(title), _cut(said), str(incident.count), failed, whose, f"{_stamp(incident.first)} UTC"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
