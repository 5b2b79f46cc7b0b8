"""`coldmigrate doctor --verify`: what this program believes and could only try against players, for you to check."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.cli.examinations import Asked

SCHEMA: Final = "coldmigrate.verify/1"
_FILE: Final = "verify.toml"
_REPORT_TO: Final = "Report what you see as an issue; leave names and addresses out."


@dataclass(frozen=True, slots=True)
class Item:
    """One belief. `attempt` names a trial that reads alone, or is empty; `where` are the files that rest on it."""

    id: str
    area: str
    believed: str
    source: str
    check: tuple[str, ...]
    report: str
    where: tuple[str, ...]
    attempt: str = ""


def items() -> list[Item]:
    """All of them, as the package has them."""
    text = files("bot.cli").joinpath(_FILE).read_text(encoding="utf-8")
    return [_item(raw) for raw in tomllib.loads(text)["items"]]


async def told(config: Path | None, asked: Asked, *, attempt: bool, form: str) -> str:
    """The list, and with `attempt` what was seen at each vCenter that can be asked here. UserError without a config."""
    seen = await _attempted(config, asked) if attempt else {}
    if form == "json":
        every = [{**asdict(item), "seen": seen.get(item.attempt, {})} for item in items()]
        return json.dumps({"schema": SCHEMA, "items": every}, indent=2)
    from bot.diagnosis.printable import printable

    lines = [line for item in items() for line in _lines(item, seen.get(item.attempt, {}))]
    return "\n".join(printable(line) for line in [*lines, _REPORT_TO])


async def _attempted(config: Path | None, asked: Asked) -> Mapping[str, Mapping[str, str]]:
    """What each trial saw, by trial and vCenter. Each vCenter by itself, all at once."""
    from bot import settings
    from bot.cli.examinations import patients_of
    from bot.vsphere.trials import attempt

    trials = list(dict.fromkeys(item.attempt for item in items() if item.attempt))
    patients, without = patients_of(settings.load(config), asked)
    seen: dict[str, dict[str, str]] = {trial: {one.about: one.says for one in without} for trial in trials}
    answers = await asyncio.gather(*(asyncio.to_thread(attempt, patient, trials) for patient in patients))
    for patient, answer in zip(patients, answers, strict=True):
        for trial, what in answer.items():
            seen[trial][f"vcenter.{patient.endpoint.name}"] = what
    return seen


def _lines(item: Item, seen: Mapping[str, str]) -> Sequence[str]:
    return [
        f"{item.id} ({item.area})",
        f"  believed: {item.believed}",
        f"  source:   {item.source}",
        *(f"  check:    {step}" for step in item.check),
        f"  report:   {item.report}",
        *(f"  seen:     {where}: {what}" for where, what in seen.items()),
        "",
    ]


def _item(raw: Mapping[str, object]) -> Item:
    texts = {key: str(raw[key]) for key in ("id", "area", "believed", "source", "report")}
    lists = {key: tuple(map(str, _listed(raw[key]))) for key in ("check", "where")}
    return Item(**texts, check=lists["check"], where=lists["where"], attempt=str(raw.get("try", "")))


def _listed(value: object) -> list[object]:
    assert isinstance(value, list)  # noqa: S101 - our own file
    return value
