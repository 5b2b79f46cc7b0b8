"""What the player knows of the vim25 WSDL: which names exist, their declared types, their order on the wire.

Read once from `wsdl.txt`. Only knowledge of names lives here, no values: those are made in the `wire_*` modules.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

Kind = Literal["managed", "data", "fault", "enum"]


@dataclass(frozen=True)
class Declared:
    """The declared type of a field."""

    name: str
    array: bool = False


@dataclass(frozen=True)
class WireType:
    name: str
    kind: Kind
    base: str
    fields: dict[str, Declared]


@dataclass(frozen=True)
class Schema:
    types: dict[str, WireType]
    managed: frozenset[str]

    def extends(self, name: str, ancestor: str) -> bool:
        """Say whether the type `name` is `ancestor` or extends it."""
        while name:
            if name == ancestor:
                return True
            found = self.types.get(name)
            name = found.base if found else ""
        return ancestor == "ManagedObject"

    def field(self, name: str, path: str) -> Declared | None:
        """Return the declared type of a field, or None where the type has no such field."""
        found = self.types.get(name)
        return found.fields.get(path) if found else None


@cache
def schema() -> Schema:
    """Return the table; parsed at the first call."""
    text = (resources.files(__package__) / "wsdl.txt").read_text(encoding="utf-8")
    types: dict[str, WireType] = {}
    own: dict[str, Declared] = {}
    names: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if line.startswith(" "):
            own.update(_declared(word) for word in words)
        elif words[0] == "managed-names":
            names = words[1:]
        else:
            own = {}
            types[words[1]] = WireType(words[1], words[0], words[3] if len(words) > 2 else "", own)  # type: ignore[arg-type]  # noqa: PLR2004 - "kind X < Y"
    complete = {name: WireType(name, t.kind, t.base, _with_inherited(types, name)) for name, t in types.items()}
    managed = frozenset(name for name, t in types.items() if t.kind == "managed") | frozenset(names)
    return Schema(complete, managed | {"ManagedObject"})


def _declared(word: str) -> tuple[str, Declared]:
    name, _, declared = word.partition(":")
    return name, Declared(declared.removesuffix("[]"), declared.endswith("[]"))


def _with_inherited(types: dict[str, WireType], name: str) -> dict[str, Declared]:
    found = types[name]
    inherited = _with_inherited(types, found.base) if found.base in types else {}
    return {**inherited, **found.fields}
