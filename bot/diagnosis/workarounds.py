"""Ways around a failure, as data in `workarounds/*.toml`, filled with what is known of the migration.

Values from the outside (VM names, paths, hosts) enter a command only as quoted words; a part that runs on another host
is rendered first and then quoted as a whole. What is not known stays visible as `<placeholder>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bot.diagnosis.checks import path_values
from bot.diagnosis.facts import DiskFacts, Facts
from bot.diagnosis.records import dataclass, field, fields
from bot.diagnosis.shelf import tables
from bot.diagnosis.template import fill, fill_quoted, visible
from bot.diagnosis.verdict import Workaround

FOLDER = Path(__file__).parent / "workarounds"
_DATASTORE_PATH = re.compile(r"\[(?P<datastore>[^\]]+)\] (?P<path>.+)\.vmdk")


@dataclass(frozen=True, slots=True)
class Command:
    """One command line. `remote` parts are commands of their own, quoted as one word where `line` names them."""

    line: str
    remote: Mapping[str, str] = field(default_factory=dict)
    each: Literal["disk"] | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A workaround before it is filled. `executable` tells whether the bot itself can carry it out."""

    id: str
    title: str
    steps: tuple[str, ...]
    commands: tuple[Command, ...]
    caveat: str
    executable: bool

    def fill(self, facts: Facts) -> Workaround:
        known = {**path_values(facts), **values_of(facts)}
        return Workaround(
            id=self.id,
            title=self.title,
            steps=tuple(fill(step, known) for step in self.steps),
            commands=tuple(_render(self.commands, known, list(_disk_values(facts, known)))),
            caveat=self.caveat,
            executable=self.executable,
        )


@cache
def load_workarounds() -> Mapping[str, Recipe]:
    recipes = map(_recipe, tables(sorted(FOLDER.glob("*.toml"))))
    return {recipe.id: recipe for recipe in recipes}


def values_of(facts: Facts) -> dict[str, str]:
    """Return what `{name}` stands for, without names whose value is unknown."""
    known = {
        entry.name: value for entry in fields(facts) if isinstance(value := getattr(facts, entry.name), str) and value
    }
    for side in ("source", "destination"):
        known[f"{side}_dir"] = _folder(known, side)
    return known


def _recipe(raw: Mapping[str, Any]) -> Recipe:
    commands = tuple(Command(**command) for command in raw["commands"])
    return Recipe(raw["id"], raw["title"], tuple(raw["steps"]), commands, raw["caveat"], raw["executable"])


def _folder(known: Mapping[str, str], side: str) -> str:
    datastore, folder = (known.get(name, visible(name)) for name in (f"{side}_datastore", f"{side}_folder"))
    return f"/vmfs/volumes/{datastore}/{folder}"


def _disk_values(facts: Facts, known: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the paths of each disk; of one nobody knows, where no disk is known."""
    taken: set[str] = set()
    for disk in facts.disks or (DiskFacts(descriptor=""),):
        found = _DATASTORE_PATH.fullmatch(disk.descriptor)
        source = f"/vmfs/volumes/{found['datastore']}/{found['path']}" if found else f"{known['source_dir']}/<disk>"
        name = _free_name(source.rsplit("/", 1)[-1], taken)
        target = f"{known['destination_dir']}/{name}"
        values = {
            "source_flat": f"{source}-flat.vmdk",
            "destination_flat": f"{target}-flat.vmdk",
            "destination_descriptor": f"{target}.vmdk",
        }
        yield values | ({"flat_bytes": str(disk.flat_bytes)} if disk.flat_bytes is not None else {})


def _free_name(name: str, taken: set[str]) -> str:
    """Two disks of one name on two datastores must not be written into one file."""
    free = name
    number = 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    taken.add(free)
    return free


def _render(commands: Sequence[Command], known: Mapping[str, str], disks: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for command in commands:
        for disk in disks if command.each else ({},):
            values = {**known, **disk}
            remote = {name: fill_quoted(part, values) for name, part in command.remote.items()}
            yield fill_quoted(command.line, values | remote)
