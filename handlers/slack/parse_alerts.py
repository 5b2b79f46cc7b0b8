"""From the text after /nfcalerts to one typed request. Pure: nothing that is named here is known to exist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.errors import UserError
from bot.incidents.incident import Scope, ScopeKind
from bot.operations.port import MuteOrder
from handlers.slack.words import Word, split


@dataclass(frozen=True, slots=True)
class AlertsHere:
    """Alerts come to this channel."""


@dataclass(frozen=True, slots=True)
class AlertsOff:
    """They go nowhere."""


@dataclass(frozen=True, slots=True)
class ListAlerts:
    """What is wrong now."""


@dataclass(frozen=True, slots=True)
class AlertsStatus:
    """How hosts are watched."""


@dataclass(frozen=True, slots=True)
class AlertsHelp:
    """What this person may do."""


@dataclass(frozen=True, slots=True)
class MuteIt:
    order: MuteOrder


@dataclass(frozen=True, slots=True)
class UnmuteIt:
    scope: Scope


Request = AlertsHere | AlertsOff | ListAlerts | AlertsStatus | AlertsHelp | MuteIt | UnmuteIt

ALERTS: Final = "/nfcalerts"
_MUTE: Final = "mute"
_UNMUTE: Final = "unmute"
_MUTE_EXAMPLE: Final = f"{ALERTS} mute esx-01 2h"
_ALONE: Final[Mapping[str, Callable[[], Request]]] = {
    "here": AlertsHere,
    "off": AlertsOff,
    "list": ListAlerts,
    "status": AlertsStatus,
    "help": AlertsHelp,
}
VERBS: Final = (*_ALONE, _MUTE, _UNMUTE)
_SCOPES: Final = {kind.value: kind for kind in ScopeKind}
_EXAMPLES: Final = {
    ScopeKind.HOST: "mute esx-01 2h",
    ScopeKind.LINK: "mute link site1 site2 2h",
    ScopeKind.VM: "mute vm web01 4h",
    ScopeKind.CAUSE: "mute cause packet_loss 1d",
    ScopeKind.CLIENT: "mute client backup 1d",
    ScopeKind.INCIDENT: "mute incident k3q7m2xa 4h",
    ScopeKind.ALL: "mute all 1h",
}
_ASIDE: Final = frozenset({"for", "until"})
_MORNING: Final = frozenset({"morning", "tomorrow"})
_LONGEST_NAME: Final = 255
_SPAN: Final = re.compile(r"(?:(\d{1,4})w)?(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m(?:in)?)?", re.IGNORECASE)
_UNITS: Final = {
    "w": "w",
    "week": "w",
    "d": "d",
    "day": "d",
    "h": "h",
    "hour": "h",
    "m": "m",
    "min": "m",
    "minute": "m",
}


def parse_alerts(text: str) -> Request:
    """What was asked for; nothing typed is a call for help. UserError for anything that is not clear."""
    words = _words(text)
    if not words:
        return AlertsHelp()
    verb, rest = words[0].text.casefold(), words[1:]
    if words[0].quoted or verb not in VERBS:
        raise _unknown(verb)
    if verb == _MUTE:
        return MuteIt(_mute(rest))
    if verb == _UNMUTE:
        return UnmuteIt(_unmute(rest))
    if rest and verb != "help":
        raise UserError(f"'{verb}' takes nothing after it.", example=f"{ALERTS} {verb}")
    return _ALONE[verb]()


def read_span(text: str) -> timedelta | None:
    """`2h`, `90m`, `1d12h`; None for `morning`. UserError for anything else."""
    word = text.strip().casefold()
    if word in _MORNING:
        return None
    span = _span(word)
    if span is None:
        raise UserError(f"'{text[:40]}' is no time: 2h, 90m, 1d, 1d12h or morning.", example=_MUTE_EXAMPLE)
    return span


def _words(text: str) -> list[Word]:
    try:
        return split(text)
    except UserError as error:
        raise UserError(str(error), example=f'{ALERTS} mute vm "my vm" 2h') from error


def _mute(words: Sequence[Word]) -> MuteOrder:
    kind, words = _kind(_joined(words))
    at = next((number for number, word in enumerate(words) if _is_time(word)), None)
    example = f"{ALERTS} {_EXAMPLES[kind]}"
    if at is None and not words and kind is not ScopeKind.ALL:
        raise _wrong_count(kind, (), 1, example)
    if at is None:
        raise UserError("For how long? 2h, 1d, morning: from one hour to 30 days.", example=_for_two_hours(kind, words))
    names = [word for word in words[:at] if word.quoted or word.text.casefold() not in _ASIDE]
    why = " ".join(word.text for word in words[at + 1 :])
    return MuteOrder(scope=_scope(kind, names, example), span=read_span(words[at].text), why=why)


def _for_two_hours(kind: ScopeKind, words: Sequence[Word]) -> str:
    """What was typed, with a time: it may be sent as it stands."""
    what = [] if kind is ScopeKind.HOST else [kind.value]
    names = [f'"{word.text}"' if word.quoted else word.text for word in words]
    return " ".join([ALERTS, _MUTE, *what, *names, "2h"])[:_LONGEST_NAME]


def _unmute(words: Sequence[Word]) -> Scope:
    kind, words = _kind(words)
    example = f"{ALERTS} un{_EXAMPLES[kind].rpartition(' ')[0]}"
    if words and _is_time(words[-1]):
        raise UserError("'unmute' takes no time: it holds at once.", example=example)
    return _scope(kind, words, example)


def _kind(words: Sequence[Word]) -> tuple[ScopeKind, Sequence[Word]]:
    """A quoted word is a name, whatever it looks like; a name alone is a host's."""
    if words and not words[0].quoted and (kind := _SCOPES.get(words[0].text.casefold())):
        return kind, words[1:]
    return ScopeKind.HOST, words


def _scope(kind: ScopeKind, words: Sequence[Word], example: str) -> Scope:
    names = [word.text.strip() for word in words]
    if kind is ScopeKind.CAUSE and names:
        names = [" ".join(names)]
    wanted = {ScopeKind.ALL: 0, ScopeKind.LINK: 2}.get(kind, 1)
    if len(names) != wanted or not all(names):
        raise _wrong_count(kind, names, wanted, example)
    if any(len(name) > _LONGEST_NAME for name in names):
        raise UserError(f"This name is too long: nothing in a vCenter has more than {_LONGEST_NAME} characters.")
    return Scope(kind, "~".join(names))


def _wrong_count(kind: ScopeKind, names: Sequence[str], wanted: int, example: str) -> UserError:
    if not names:
        return UserError("What shall be muted? A host, or: link, vm, cause, client, incident, all.", example=example)
    if wanted == 0:
        return UserError("'all' takes no name.", example=example)
    if kind is ScopeKind.LINK:
        return UserError("A link has two ends: the names of its sites.", example=example)
    if kind is ScopeKind.HOST and (near := difflib.get_close_matches(names[0].casefold(), _SCOPES, n=1, cutoff=0.7)):
        return UserError(f"Did you mean '{near[0]}'?", example=f"{ALERTS} {_EXAMPLES[_SCOPES[near[0]]]}")
    return UserError("One name, please; a name with blanks goes in quotes.", example=example)


def _joined(words: Sequence[Word]) -> list[Word]:
    """With `2 h` and `3 days` as one word."""
    found: list[Word] = []
    for word in words:
        unit = _UNITS.get(word.text.casefold().removesuffix("s") or "-")
        if found and unit and found[-1].text.isascii() and found[-1].text.isdigit() and not found[-1].quoted:
            found[-1] = Word(f"{found[-1].text}{unit}")
        else:
            found.append(word)
    return found


def _is_time(word: Word) -> bool:
    return not word.quoted and (word.text.casefold() in _MORNING or _span(word.text) is not None)


def _span(text: str) -> timedelta | None:
    found = _SPAN.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)


def _unknown(verb: str) -> UserError:
    near = difflib.get_close_matches(verb, VERBS, n=1, cutoff=0.6)
    if near:
        return UserError(f"There is no '{verb[:40]}'. Did you mean '{near[0]}'?", example=f"{ALERTS} {_usage(near[0])}")
    return UserError(f"There is no '{verb[:40]}'. There are: {', '.join(VERBS)}.", example=f"{ALERTS} help")


def _usage(verb: str) -> str:
    return {_MUTE: "mute esx-01 2h", _UNMUTE: "unmute esx-01"}.get(verb, verb)
