"""Views: the lists of entities that a session makes for itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.playground.vcenter.inventory import Entity, Folder
from bot.playground.vcenter.properties import Reader
from bot.playground.vcenter.schema import schema
from bot.playground.vcenter.wire import Ref


@dataclass(eq=False)
class ContainerView:
    """Everything of some types below a container; follows the inventory."""

    container: Entity
    types: tuple[str, ...]
    recursive: bool

    def members(self, reader: Reader) -> list[Ref]:
        inside = reader.estate.inventory.below(self.container) if self.recursive else self._children()
        session = reader.session
        return [e.ref for e in inside if self._wanted(e) and (session is None or session.sees(e))]

    def _children(self) -> list[Entity]:
        return self.container.children if isinstance(self.container, Folder) else []

    def _wanted(self, entity: Entity) -> bool:
        return not self.types or any(schema().extends(entity.wire, wanted) for wanted in self.types)


@dataclass(eq=False)
class ListView:
    """What a client put together; members that are gone fall out."""

    refs: dict[Ref, None] = field(default_factory=dict)

    def members(self, reader: Reader) -> list[Ref]:
        return [ref for ref in self.refs if reader.find(ref) is not None]
