"""Incidents, mutes and the place of alerts as Redis keeps them, and read back. A record names its form.

What the logs say of an incident is one field, how it stands are others: a person's click and the judge never write the
same one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bot.errors import BugError
from bot.incidents.incident import Case, Change, Incident, IncidentId, Mute, Standing, State
from bot.incidents.port import AlertPlace

FORM: Final = "1"

log = logging.getLogger(__name__)

_INCIDENT: Final = TypeAdapter(Incident)
_MUTE: Final = TypeAdapter(Mute)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Reading:
    """Reads records; an incident whose text is what it was at the last reading is not read again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Incident]] = {}

    def cases(self, records: Iterable[Sequence[str]], *, remember: bool = False) -> list[Case]:
        """Those that this version can read. `remember`: these, and no others, are likely to be asked for again."""
        read: dict[str, tuple[str, Incident]] = {}
        cases = []
        for fields in map(pairs, records):
            try:
                case = self.case(fields)
            except BugError as error:
                log.warning("%s", error)
                continue
            read[case.incident.id] = fields["incident"], case.incident
            cases.append(case)
        if remember:
            self._known = read
        return cases

    def case(self, fields: Mapping[str, str]) -> Case:
        """The case in a hash. BugError for one that this version cannot read."""
        try:
            return Case(self._incident(fields), _standing(fields))
        except (KeyError, ValueError) as error:  # pydantic's are ValueErrors
            told = f"form {fields.get('form')}, {type(error).__name__}"
            raise BugError(
                f"The record of incident {fields.get('id')} cannot be read by this version of coldmigrate ({told})."
            ) from error

    def _incident(self, fields: Mapping[str, str]) -> Incident:
        text = fields["incident"]
        known = self._known.get(fields["id"])
        if known is not None and known[0] == text:
            return known[1]
        if fields["form"] != FORM:
            raise ValueError(fields["form"])
        return _INCIDENT.validate_json(text)


def pairs(flat: Sequence[str]) -> dict[str, str]:
    """A hash as scripts return it: field, value, field, value."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def arguments(changes: Iterable[Change]) -> Iterator[str | int]:
    """What the script of a commit is told of each change: nine words. An empty state leaves the standing as it is."""
    for change in changes:
        standing = change.standing
        yield change.incident.id
        yield _INCIDENT.dump_json(change.incident, exclude_defaults=True).decode()
        if standing is None:
            yield from ("", "", "", "", "", "", "")
            continue
        yield from (standing.state.value, standing.by, _stamp(standing.at), standing.into or "", standing.hushed)
        yield ms(standing.opened_at)
        yield f"{change.before.state.value}@{_stamp(change.before.at)}" if change.before else ""


def mute_text(mute: Mute) -> str:
    return _MUTE.dump_json(mute).decode()


def mutes_in(texts: Iterable[str]) -> list[Mute]:
    """Those that this version can read."""
    found = []
    for text in texts:
        try:
            found.append(_MUTE.validate_json(text))
        except ValidationError:
            log.warning("A mute cannot be read by this version of coldmigrate and does not count.")
    return found


def place_in(fields: Mapping[str, str]) -> AlertPlace | None:
    if "channel" not in fields:
        return None
    return AlertPlace(fields["channel"], fields.get("by", ""), _moment(fields.get("at", "")))


def ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _stamp(moment: datetime | None) -> str | int:
    return "" if moment is None else ms(moment)


def _standing(fields: Mapping[str, str]) -> Standing:
    opened = _moment(fields["opened"])
    if opened is None:
        raise KeyError("opened")
    into = fields.get("into")
    return Standing(
        state=State(fields["state"]),
        opened_at=opened,
        channel=fields.get("channel", ""),
        spoken_at=_moment(fields.get("spoken", "")),
        by=fields.get("by", ""),
        at=_moment(fields.get("at", "")),
        into=IncidentId(into) if into else None,
        hushed=fields.get("hushed", ""),
    )


def _moment(milliseconds: str) -> datetime | None:
    return _EPOCH + timedelta(milliseconds=int(milliseconds)) if milliseconds else None
