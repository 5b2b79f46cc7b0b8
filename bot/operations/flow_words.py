"""What is worth a reply while a copy slows down: each of three things once, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.migration.eta import in_words
from bot.migration.intervals import in_words as counted
from bot.migration.intervals import interval
from bot.migration.measured import Connection, PathMeasurement, When
from bot.operations.measurements import LOSS
from bot.slack.port import Reply

LEAST_LOST = 2
"""One packet is lost on any network now and then."""

_OPENING = "SYN_SENT"


def worth_saying(vm: str, looks: Sequence[PathMeasurement], *, stalled: timedelta | None) -> Iterator[Reply]:
    """Say what the looks during this copy show, oldest look first. The same thing always has the same key."""
    during = [look for look in looks if look.when is When.DURING]
    if not during:
        return
    yield from _opening(vm, during[-1])
    yield from _stuck(vm, during, stalled)
    yield from _lost(vm, during)


def _opening(vm: str, look: PathMeasurement) -> Iterator[Reply]:
    waiting = [one for one in _of_sender(look) if one.state == _OPENING]
    if waiting:
        said = (
            f"The copy of {vm} does not get through: {look.source_host} waits for an answer from {waiting[0].foreign} "
            f"({_OPENING}, from {waiting[0].local}). Nobody has said yes or no, as where a firewall drops silently."
        )
        yield Reply("flow-opening", said, quiet=True)


def _stuck(vm: str, looks: Sequence[PathMeasurement], stalled: timedelta | None) -> Iterator[Reply]:
    """Bytes that wait to be acknowledged are ordinary; that they still wait while nothing moves is not."""
    before = {(one.local, one.foreign) for look in looks[-2:-1] for one in _of_sender(look) if one.send_queue}
    stuck = [
        one
        for one in _of_sender(looks[-1])
        if one.send_queue and one.state != _OPENING and (stalled is not None or (one.local, one.foreign) in before)
    ]
    if stuck:
        one = stuck[0]
        still = f", and there has been no progress for {in_words(stalled)}" if stalled else ""
        said = (
            f"The copy of {vm} does not get its data away: {one.send_queue:,} bytes wait at {one.host} to be "
            f"acknowledged by {one.foreign} (SendQ of {one.local}, {one.state}){still}."
        )
        yield Reply("flow-stuck", said, quiet=True)


def _lost(vm: str, looks: Sequence[PathMeasurement]) -> Iterator[Reply]:
    pings = [look.small for look in looks if look.small is not None]
    sent, lost = sum(one.sent for one in pings), sum(one.lost for one in pings)
    if lost >= LEAST_LOST and interval(lost, sent).low > LOSS:
        way = f"from {looks[-1].source_host} to {looks[-1].target_host}"
        said = f"Packets are lost while {vm} is copied, {way}: {counted(lost, sent)}. The copy may not survive that."
        yield Reply("flow-loss", said, quiet=True)


def _of_sender(look: PathMeasurement) -> list[Connection]:
    return [one for one in look.own_connections if one.host == look.source_host]
