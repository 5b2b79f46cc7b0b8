"""The scripts of the queue, and a job's hash read back into a `Job`. Everything that Lua must know is told here."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.errors import BugError
from bot.jobs.port import AuditEntry, Hold, Job, Step
from bot.migration.machine import ENDS, STARTED, Phase
from bot.migration.request import JobId
from bot.store.scripts import Script, load, milliseconds

CHECK_LANE: Final = "check"
DIAGNOSE_LANE: Final = "diagnose"
BATCH_LANE: Final = "batch"
LOCAL_LANE: Final = "local"  # an approved plan that names no link

EVENTS_KEPT: Final = 100_000
STEPS_KEPT: Final = 100  # the first and the latest, once there are so many that they are long
STEPS_LENGTH: Final = 16_000
JOB_KEPT: Final = timedelta(days=90)
ACTS_KEPT: Final = 500_000
LOOK_AHEAD: Final = 1_000
"""How many jobs of a lane are looked at in one claim for one whose host and datastore are free."""

PAGE: Final = 100
"""So many of them at a time: mostly the first may go."""

DELIVERY_KEPT: Final = timedelta(days=1)

SUSPECT: Final = 3
"""A job that was claimed so often without a transition, or a renewal, may be what kills its workers."""

CLEARED_AFTER: Final = timedelta(minutes=3)
"""A suspect whose worker lives for so long with it is none: its earlier workers died of something else."""

ALONE_FOR: Final = timedelta(minutes=1)
"""How long such a job waits for a worker that has nothing else."""

LOOK_AGAIN: Final = timedelta(seconds=1)

LONGEST_LEASE: Final = timedelta(minutes=5)
"""What ends later than this, and than ten leases from now, was written by a clock that went ahead of this one."""

_DATA: Final = "data."


def moment(milliseconds: str) -> datetime:
    """The aware time of a number as scripts write it."""
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _set(names: Collection[str]) -> str:
    return "{ " + ", ".join(f"{name} = true" for name in sorted(names)) + " }"


_CONSTANTS: Final = f"""
local STARTED = {_set(STARTED)}
local ENDED = {_set(ENDS)}
local LOCAL = '{LOCAL_LANE}'
local OWN_LANE = {_set([CHECK_LANE, DIAGNOSE_LANE, BATCH_LANE])}
local EVENTS_KEPT, ACTS_KEPT = {EVENTS_KEPT}, {ACTS_KEPT}
local LOOK_AHEAD, PAGE, LOOKED = {LOOK_AHEAD}, {PAGE}, '>' -- a field that is nobody's name
local STEPS_KEPT, STEPS_LENGTH = {STEPS_KEPT}, {STEPS_LENGTH}
local PRIORITY, ROUND, LAST_ROUND = 1e14, 1e9, 99999 -- a score has 15 digits: priority, round, arrival
local JOB_KEPT, DELIVERY_KEPT = {milliseconds(JOB_KEPT)}, {milliseconds(DELIVERY_KEPT)}
local SUSPECT, ALONE_FOR, LOOK_AGAIN = {SUSPECT}, {milliseconds(ALONE_FOR)}, {milliseconds(LOOK_AGAIN)}
local CLEARED_AFTER = {milliseconds(CLEARED_AFTER)}
local LONGEST_LEASE = {milliseconds(LONGEST_LEASE)}
local MANY = 1000
local CHORE_KEPT = DELIVERY_KEPT -- after its time has come again
"""


def _script(name: str) -> Script:
    return load("bot.jobs", f"scripts/{name}", libraries=("scripts/ledger",), constants=_CONSTANTS)


ACT: Final = _script("act")
ADOPT: Final = _script("adopt")
ANSWER: Final = _script("answer")
APPROVE: Final = _script("approve")
CANCEL: Final = _script("cancel")
CHORE: Final = _script("chore")
CLAIM: Final = _script("claim")
COUNTS: Final = _script("counts")
DRAFT: Final = _script("draft")
EXPIRE: Final = _script("expire")
GIVE_UP: Final = _script("give_up")
HAND_OVER: Final = _script("hand_over")
HOLD: Final = _script("hold")
LATER: Final = _script("later")
MOVE: Final = _script("move")
NOTE: Final = _script("note")
NOW: Final = _script("now")
RELEASE: Final = _script("release")
RENEW: Final = _script("renew")
WAKE: Final = _script("wake")


def pairs(flat: Sequence[str]) -> dict[str, str]:
    """A hash as scripts return it: field, value, field, value."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def to_job(fields: Mapping[str, str]) -> Job:
    """The record in a job's hash. BugError for one that this version cannot read."""
    try:
        return _to_job(fields)
    except (KeyError, ValueError, TypeError) as error:
        told = f"{type(error).__name__}: {error}"
        raise BugError(
            f"The record of job {fields.get('id')} cannot be read by this version of coldmigrate ({told})."
        ) from error


def _to_job(fields: Mapping[str, str]) -> Job:
    return Job(
        id=JobId(fields["id"]),
        kind=fields["kind"],
        state=Phase(fields["state"]),
        vm_key=fields["vm_key"],
        lane=fields["lane"],
        requester=fields["requester"],
        channel=fields["channel"],
        fence=int(fields["fence"]),
        owner=fields["owner"],
        attempt=int(fields["attempt"]),
        created=moment(fields["created"]),
        updated=moment(fields["updated"]),
        cancel_by=fields["cancel_by"],
        data={name.removeprefix(_DATA): value for name, value in fields.items() if name.startswith(_DATA)},
        steps=tuple(_to_step(step) for step in json.loads(fields["steps"])),
        failures=int(fields["failures"]),
        failing=fields.get("failing", ""),
        priority=int(fields["priority"]),
        needs=tuple(json.loads(fields.get("needs") or "[]")),
    )


def _to_step(fields: Mapping[str, str]) -> Step:
    return Step(Phase(fields["state"]), moment(fields["at"]), fields["by"], fields["why"])


def to_hold(fields: Mapping[str, str]) -> Hold:
    """The record in a hold's hash."""
    return Hold(
        id=JobId(fields["id"]),
        resource=fields["resource"],
        by=fields["by"],
        why=fields["why"],
        at=moment(fields["at"]),
        job=fields["job"],
        channel=fields["channel"],
        released=moment(fields["released"]) if fields.get("released") else None,
        released_by=fields.get("released_by", ""),
    )


def to_act(entry: str, fields: Mapping[str, str]) -> AuditEntry:
    """An entry of the audit log; its time is that of the stream."""
    return AuditEntry(
        id=entry,
        at=moment(entry.partition("-")[0]),
        by=fields["by"],
        verb=fields["verb"],
        on=fields["on"],
        why=fields["why"],
    )
