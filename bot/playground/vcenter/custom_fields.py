"""Custom fields of one vCenter: definitions by key. The values hang on the entities."""

from __future__ import annotations

from dataclasses import dataclass

from bot.playground.vcenter import faults
from bot.playground.vcenter.inventory import Entity
from bot.playground.vcenter.schema import schema
from bot.playground.vcenter.wire import Data, Ref

CUSTOM_FIELDS_MANAGER = Ref("CustomFieldsManager", "CustomFieldsManager")
_FIRST = 101


@dataclass
class FieldDef:
    """One field. `type` is the type of entity it is for; empty means every type."""

    key: int
    name: str
    type: str

    def fits(self, entity: Entity) -> bool:
        return not self.type or schema().extends(entity.wire, self.type)

    @property
    def data(self) -> Data:
        return Data("CustomFieldDef", key=self.key, name=self.name, type_="string", managedObjectType=self.type or None)


class CustomFields:
    """All definitions. A name is taken once per type, and once for all types."""

    def __init__(self) -> None:
        self._by_key: dict[int, FieldDef] = {}
        self._next = _FIRST

    def all(self) -> list[FieldDef]:
        return list(self._by_key.values())

    def add(self, name: str, type_: str) -> FieldDef:
        """Define a field. Refuses a name that is taken with DuplicateName."""
        self._refuse_taken(name, type_)
        found = FieldDef(self._next, name, type_)
        self._next += 1
        self._by_key[found.key] = found
        return found

    def rename(self, found: FieldDef, name: str) -> None:
        """Rename a field. Refuses a name that is taken with DuplicateName."""
        self._refuse_taken(name, found.type)
        found.name = name

    def remove(self, found: FieldDef) -> None:
        del self._by_key[found.key]

    def get(self, key: int | None) -> FieldDef:
        """Return a field. Refuses an unknown key with InvalidArgument."""
        if key is None or key not in self._by_key:
            raise faults.invalid_argument("key", "no custom field has this key")
        return self._by_key[key]

    def of(self, entity: Entity) -> list[FieldDef]:
        """Return the fields that this entity may have values of."""
        return [found for found in self._by_key.values() if found.fits(entity)]

    def _refuse_taken(self, name: str, type_: str) -> None:
        if any(found.name == name and found.type in {type_, ""} for found in self._by_key.values()):
            raise faults.duplicate_name(name, CUSTOM_FIELDS_MANAGER)


def values(entity: Entity) -> list[Data]:
    """Return an entity's values as customValue and value show them."""
    return [Data("CustomFieldStringValue", key=key, value=value) for key, value in sorted(entity.custom.items())]
