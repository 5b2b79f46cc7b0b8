"""The watch as a whole (issue 6): what died is told once, whoever dies among those who watch, judge, and page.

Real watchers and a real bot, 3, 2 and 4 of the former. They are killed, paused beyond their lease and asked to go, the
one who judges above all, and Redis is killed under them. Every copy that died on a host with files has to be counted in
exactly one incident, with all its lines; none of those that were sent by syslog twice, and each that is missing has to
lie within a gap that was told of its host. Each incident has one message, which shows the final count, and rings once.
With the judge's fences off copies have to be seen that are counted twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.incidents.incident import Case, Incident
from bot.store import keys
from tests.chaos.rows import HungError, Row
from tests.chaos.stage import Stage
from tests.chaos.watch_night import ENDS_WITHIN, Loss, Size, WatchNight, watch_night
from tests.chaos.watch_truth import LINES_OF_A_DEATH, Death

NAME: Final = "watchers"
LONG: Final = Size(pairs=3, hosts=6, lease=5.0, rhythm=0.15, steady=8.0)
SHORT: Final = Size(pairs=2, hosts=3, lease=1.5, rhythm=0.1, steady=0.5)
FEW: Final = Size(pairs=1, hosts=2, lease=1.5, rhythm=0.1, steady=0.6)
STILL: Final = 10
"""How often in a row all has to look the same."""
CLOCKS: Final = 0.1
"""Seconds that two clocks of one machine, one of them cut to milliseconds, may be apart."""


async def run(stage: Stage) -> list[Row]:
    size = LONG if stage.many(1, 0) else SHORT
    return [await _come_and_go(stage, size), await _control(stage, FEW)]


async def _come_and_go(stage: Stage, size: Size) -> Row:
    async with watch_night(stage, size) as night:
        await night.hire(3)
        await night.stands()
        async with night.dying():
            await _a_night_of_it(night)
        await _settled(night)
        seen = await _judged(night)
        await asyncio.gather(*(night.let_go(one) for one in list(night.living)))
    return Row(name=NAME, did=dict(night.did), notes=seen.notes, breaches=[*night.breaches, *seen.breaches])


async def _a_night_of_it(night: WatchNight) -> None:
    """3 watchers, 2, and 4."""
    await night.goes_on()
    await night.kill_the_judge()
    await night.goes_on()
    await night.pause(await night.judge())
    await night.goes_on()
    await night.restart_redis()
    await night.goes_on()
    await night.hire(2)
    await night.goes_on(2)
    await night.kill_the_judge()
    await night.goes_on()
    await night.let_go(night.living[0])
    await night.hire()
    await night.goes_on()
    await night.pause(night.stage.dice.choice(night.living))
    await night.kill_the_judge()
    await night.hire()
    await night.goes_on(2)


async def _control(stage: Stage, size: Size) -> Row:
    """Two who judge at once."""
    async with watch_night(stage, size, unfenced=True) as night:
        await night.hire(2)
        await night.stands()
        async with night.dying():
            await night.goes_on(2)
        await asyncio.sleep(size.steady)
        seen = await _judged(night)
    blind = [] if seen.twice else ["with the fences off no copy was counted twice: the check is blind"]
    return Row(
        name=f"{NAME}.control", did={"judges at once": 2}, notes={"counted twice": len(seen.twice)}, breaches=blind
    )


@dataclass
class _Verdict:
    """What was found. `notes` are facts."""

    notes: dict[str, float | str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    @property
    def breaches(self) -> list[str]:
        return [*_few(self.lost), *_few(self.twice), *self.shown]


async def _settled(night: WatchNight) -> None:
    """Once all that can be counted is, and said. What never is, is judged."""
    last: list[object] = []

    async def at_rest() -> bool:
        cases = await night.cases()
        complete = not _missing(night.hosts.told, cases)
        quiet = not await night.store.zcard(keys.OUTBOX) and _shows(night, cases)
        last.append([case.incident for case in cases])
        return complete and quiet and len(last) > STILL and all(one == last[-1] for one in last[-STILL:])

    try:
        await night.until("what died is not all counted and shown", at_rest, ENDS_WITHIN)
    except HungError as error:
        night.breaches.append(str(error))


async def _judged(night: WatchNight) -> _Verdict:
    seen, cases, losses = _Verdict(), await night.cases(), await night.losses()
    hosts = night.hosts
    seen.lost = [f"{death.operation} of {death.host} was never counted" for death in _missing(hosts.told, cases)]
    seen.lost += _untold(_missing(hosts.sent, cases), losses)
    seen.twice = [f"{name} was counted in {times} incidents" for name, times in _counted(cases).items() if times > 1]
    seen.twice += list(_miscounted(cases))
    seen.shown = [*_messages(night, cases), *_rings(night, cases)]
    seen.notes = {
        "died on hosts with files": len(hosts.told),
        "by syslog": len(hosts.sent),
        "lost within gaps": len(_missing(hosts.sent, cases)),
        "gaps": len(losses),
        "reconnects": hosts.reconnects,
        "incidents": len(cases),
        "messages": len(night.cards()),
        "redrawn": night.slack.tally.calls.get("chat.update", 0),
        "429": sum(night.slack.tally.throttled.values()),
        "pages": len(night.pager.board.taken),
    }
    return seen


def _counted(cases: Iterable[Case]) -> Counter[str]:
    """In how many incidents each operation is."""
    return Counter(name.removeprefix("op ") for case in cases for name in case.incident.failures)


def _missing(died: Mapping[str, Death], cases: Iterable[Case]) -> list[Death]:
    """Those of which any line is not counted."""
    lines: Counter[str] = Counter()
    for case in cases:
        for name, count in case.incident.failures.items():
            lines[name.removeprefix("op ")] += count
    return [death for name, death in died.items() if lines[name] < LINES_OF_A_DEATH]


def _miscounted(cases: Iterable[Case]) -> Iterable[str]:
    for case in cases:
        incident = case.incident
        if incident.count != len(incident.failures):
            yield f"incident {incident.id} counts {incident.count} failures, and has {len(incident.failures)}"
        for name, lines in incident.failures.items():
            if lines > LINES_OF_A_DEATH:
                yield f"of {name} {lines} lines were counted, and it has {LINES_OF_A_DEATH}"


def _untold(missing: Iterable[Death], losses: Sequence[Loss]) -> list[str]:
    return [
        f"{death.operation} of {death.host}, sent {death.begun:.1f} to {death.ended:.1f}, is missing without a gap"
        for death in missing
        if not any(_within(death, loss) for loss in losses)
    ]


def _within(death: Death, loss: Loss) -> bool:
    return loss.host == death.host and loss.since - CLOCKS <= death.begun and death.ended <= loss.until + CLOCKS


def _messages(night: WatchNight, cases: Sequence[Case]) -> Iterable[str]:
    """One for each incident, with the final count."""
    messages = Counter(_subject(card) for card in night.cards())
    for case in cases:
        incident = case.incident
        if messages[incident.id] != 1:
            yield f"incident {incident.id} has {messages[incident.id]} messages"
        elif not any(_says(card, incident) for card in night.cards()):
            yield f"the message of incident {incident.id} does not show {incident.count} failures"
    yield from (f"incident {name} has {times} messages" for name, times in messages.items() if times > 1)


def _rings(night: WatchNight, cases: Sequence[Case]) -> Iterable[str]:
    board = night.pager.board
    for case in cases:
        rung = [one for one in board.incidents if one.key.startswith(f"{case.incident.id}-")]
        if len(rung) != 1:
            yield f"incident {case.incident.id} rang {len(rung)} times"


def _shows(night: WatchNight, cases: Sequence[Case]) -> bool:
    return not [*_messages(night, cases), *_rings(night, cases)]


def _says(card: Mapping[str, Any], incident: Incident) -> bool:
    return _subject(card) == incident.id and f"{incident.count} failure" in str(card["blocks"])


def _subject(card: Mapping[str, Any]) -> str:
    return str(card["metadata"]["event_payload"]["job_id"])


def _few(found: Sequence[str], most: int = 8) -> list[str]:
    return [*found[:most], *([f"and {len(found) - most} more like these"] if len(found) > most else [])]
