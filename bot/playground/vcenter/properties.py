"""Reading a property of any managed object by its dotted path, typed as the WSDL says.

The makers of single properties are in `properties_vm`, `properties_places` and `properties_service`; this module finds
the object and the maker, walks the rest of the path, and remembers what it rendered until the object changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.playground.vcenter import faults
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import Entity
from bot.playground.vcenter.properties_doors import owner
from bot.playground.vcenter.schema import Declared, schema
from bot.playground.vcenter.sessions import Session
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.universe import Estate
from bot.playground.vcenter.wire import Data, Ref, typed_value

Maker = Callable[["Reader", Any], Any]
_PATH = re.compile(r"\w+(?:\.\w+|\[[^\]]+\])*")
_STEPS = re.compile(r"\w+|\[[^\]]+\]")
_ANYBODY = {("ServiceInstance", "content"), ("SessionManager", "currentSession")}
_GUARDED = {("SessionManager", "sessionList"): "Sessions.TerminateSession"}
_VIEW_IS_ENOUGH = {"name", "parent", "effectiveRole", "customValue"}
"""Properties of entities that are readable with System.View; the others need System.Read (privileges in the WSDL)."""


@dataclass(frozen=True)
class Missing:
    """A property that exists and may not be read by this session."""

    path: str
    refusal: Fault

    @property
    def fault(self) -> Data:
        return self.refusal.localized


class Reader:
    """Reads for one session; without a session only what the login itself needs."""

    def __init__(self, estate: Estate, session: Session | None, makers: Mapping[str, Mapping[str, Maker]]) -> None:
        self.estate = estate
        self.session = session
        self._makers = makers

    def find(self, ref: Ref) -> object | None:
        """Return the thing behind a MoRef: entity, task, object of the session, or the name of a singleton."""
        entity = self.estate.inventory.find(owner(ref) or ref)
        if entity is not None:
            return entity
        if ref.type == "Task":
            return self.estate.tasks.find(ref.id)
        if self.session and ref in self.session.objects:
            return self.session.objects[ref]
        return ref.type if ref.id == ref.type and ref.type in self._makers else None

    def shows(self, ref: Ref) -> bool:
        """Say whether the session may know that this is there; a list of an object's that it reads leaves it out."""
        thing = self.find(ref)
        return self.session is None or not isinstance(thing, Entity) or self.session.sees(thing)

    def raw(self, ref: Ref, name: str) -> Any:
        """Return a top-level property as plain value, None where unset. Refuses unknown objects and names."""
        thing = self.find(ref)
        if thing is None:
            raise faults.not_found(ref)
        if schema().field(ref.type, name) is None:
            raise faults.invalid_property(name)
        maker = self._maker(ref.type, name)
        return maker(self, thing) if maker else None

    def read(self, ref: Ref, path: str, tag: str = "val") -> str | Missing | None:
        """Return the property as XML, None where it is unset, or why it is missing."""
        if self.session is None and (ref.type, path) not in _ANYBODY:
            raise faults.not_authenticated(ref)
        privilege = self._withheld(ref, path)
        if privilege:
            return Missing(path, faults.no_permission(ref, privilege))
        value, declared = self._walk(ref, path)
        if value is None or (value == [] and declared.array and path not in {"childEntity", "view", "recentTask"}):
            return None
        return typed_value(tag, value, declared)

    def _withheld(self, ref: Ref, path: str) -> str:
        """Return the privilege that this session lacks to read the property, or nothing."""
        if self.session is None:
            return ""
        first = path.partition(".")[0]
        privilege = _GUARDED.get((ref.type, first), "")
        if privilege:
            return "" if self.session.may(privilege) else privilege
        thing = self.find(ref)
        if not isinstance(thing, Entity):
            return ""
        if self._is_kept_back(self.session.account.withheld, ref, path):
            return "System.Read"
        if first in _VIEW_IS_ENOUGH:
            return "" if self.session.sees(thing) else "System.View"
        return "" if self.session.may("System.Read", thing) else "System.Read"

    @staticmethod
    def _is_kept_back(withheld: Iterable[str], ref: Ref, path: str) -> bool:
        """Say whether the world keeps this from the account: a property of the type, or a part of one."""
        named = (entry.partition(".") for entry in withheld)
        kept = (below for type_, _, below in named if schema().extends(ref.type, type_))
        return any(path == entry or path.startswith(f"{entry}.") for entry in kept)

    def paths(self, ref: Ref) -> list[str]:
        """Return the names of all properties that the player fills for this type."""
        return [name for name in schema().types[ref.type].fields if self._maker(ref.type, name)]

    def _maker(self, type_: str, name: str) -> Maker | None:
        while type_:
            maker = self._makers.get(type_, {}).get(name)
            if maker:
                return maker
            found = schema().types.get(type_)
            type_ = found.base if found else ""
        return None

    def _walk(self, ref: Ref, path: str) -> tuple[Any, Declared]:
        name, *rest = _STEPS.findall(path) if _PATH.fullmatch(path) else [path]
        value = self.raw(ref, name)
        declared = schema().types[ref.type].fields[name]
        for step in rest:
            if step.startswith("["):
                value, declared = _entry(value, declared, step, path)
                continue
            type_ = value.type if isinstance(value, Data) else declared.name
            if type_ not in schema().types and value is None:
                return None, declared  # a type that is not played and never filled
            found = schema().field(type_, step)
            if found is None or declared.array:
                raise faults.invalid_property(path)
            value, declared = (value.fields.get(step) if isinstance(value, Data) else None), found
        return value, declared


def _entry(value: Any, declared: Declared, step: str, path: str) -> tuple[Any, Declared]:
    """Pick the entry of an array by its key, as `config.hardware.device[4000]` does; None where there is none."""
    if not declared.array:
        raise faults.invalid_property(path)
    key = step[1:-1].strip('"')
    entries = (entry for entry in value or () if isinstance(entry, Data))
    found = next((entry for entry in entries if str(entry.fields.get("key")) == key), None)
    return found, Declared(found.type if found else declared.name)


class Rendering:
    """Remembers rendered properties of entities and tasks until the next change of the object."""

    def __init__(self, estate: Estate) -> None:
        self._changes = estate.inventory.changes
        self._kept: dict[Ref, tuple[int, dict[str, str | None]]] = {}

    def read(self, reader: Reader, ref: Ref, path: str) -> str | Missing | None:
        """Do what `Reader.read` does, from memory where the object is unchanged and the reader may see all."""
        whole = reader.session is not None and reader.session.reads_everything
        if not whole or not isinstance(reader.find(ref), Entity | Task):
            return reader.read(ref, path)
        changed = self._changes.of(ref)
        revision, texts = self._kept.get(ref, (-1, {}))
        if revision != changed:
            texts = {}
            self._kept[ref] = (changed, texts)
        if path not in texts:
            text = reader.read(ref, path)
            if isinstance(text, Missing):
                return text
            texts[path] = text
        return texts[path]

    def forget(self, ref: Ref) -> None:
        """Drop what is remembered of an object that is gone."""
        self._kept.pop(ref, None)
