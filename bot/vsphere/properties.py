"""Bulk reads: many properties of many objects in one round trip, which over a WAN is what decides the speed.

Every answer is plain: an object's id, its type and the properties asked for by dotted path. A property that vCenter
leaves unset, or may not show us, is absent.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyVmomi import vim, vmodl

from bot.vsphere.session import Connected

PAGE = 500

Query = vmodl.query.PropertyCollector
Wanted = Mapping[Any, Sequence[str]]
"""Managed types and the paths wanted of each; a subtype takes its nearest listed ancestor's."""


@dataclass(frozen=True, slots=True)
class Row:
    """One object as read. `row["name"]` is None for what is absent."""

    ref: Any
    values: Mapping[str, Any]

    @property
    def moid(self) -> str:
        return str(self.ref._GetMoId())  # noqa: SLF001 - pyVmomi has no public name for it

    def __getitem__(self, path: str) -> Any:
        return self.values.get(path)


def moid(reference: Any) -> str:
    """Return a reference's id, which needs no round trip."""
    return str(reference._GetMoId())  # noqa: SLF001


def read_each(connected: Connected, objects: Iterable[Any], wanted: Wanted) -> list[Row]:
    """Read these objects. Those that vanished meanwhile are left out."""
    targets = [Query.ObjectSpec(obj=entry, skip=False) for entry in objects]
    return _retrieve(connected, targets, wanted) if targets else []


def read_below(connected: Connected, top: Any, wanted: Wanted) -> list[Row]:
    """Read every object of the wanted types in the inventory below `top`."""
    view = connected.content.viewManager.CreateContainerView(top, list(wanted), True)
    try:
        walk = Query.TraversalSpec(name="view", type=vim.view.ContainerView, path="view", skip=False)
        return _retrieve(connected, [Query.ObjectSpec(obj=view, skip=True, selectSet=[walk])], wanted)
    finally:
        view.Destroy()


def read_through(connected: Connected, source: Any, path: str, wanted: Wanted) -> list[Row]:
    """Read the objects that a property of `source` lists, as they are at this moment."""
    walk = Query.TraversalSpec(name=path, type=type(source), path=path, skip=False)
    return _retrieve(connected, [Query.ObjectSpec(obj=source, skip=True, selectSet=[walk])], wanted)


def _retrieve(connected: Connected, targets: list[Any], wanted: Wanted) -> list[Row]:
    spec = Query.FilterSpec(
        objectSet=targets,
        propSet=[Query.PropertySpec(type=kind, all=False, pathSet=list(paths)) for kind, paths in wanted.items()],
        reportMissingObjectsInResults=True,
    )
    return list(_pages(connected.content.propertyCollector, spec))


def _pages(collector: Any, spec: Any) -> Iterator[Row]:
    page = collector.RetrievePropertiesEx([spec], Query.RetrieveOptions(maxObjects=PAGE))
    while page is not None:
        for entry in page.objects:
            for missing in entry.missingSet:  # govmomi's simulator tells the end of a session property by property
                if isinstance(missing.fault, vim.fault.NotAuthenticated):
                    raise missing.fault
            yield Row(entry.obj, {change.name: change.val for change in entry.propSet})
        page = collector.ContinueRetrievePropertiesEx(page.token) if page.token else None
