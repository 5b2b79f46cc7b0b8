"""Bulk reads: many properties of many objects in one round trip, which over a WAN is what decides the speed.

Every answer is plain: an object's id, its type and the properties asked for by dotted path. A property that vCenter
leaves unset is absent; one that it does not tell us, for want of a privilege or otherwise, is absent and named in
`Row.unread`. It never spoils the rest.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyVmomi import vim, vmodl

from bot.vsphere.session import Connected

PAGE: Final = 500
THIN_PAGE: Final = 5_000
"""Objects a page of which little is asked. A vCenter may send fewer and goes on in the next page."""

Query = vmodl.query.PropertyCollector
Wanted = Mapping[Any, Sequence[str]]
"""Managed types and the paths wanted of each; a subtype takes its nearest listed ancestor's."""


@dataclass(frozen=True, slots=True)
class Row:
    """One object as read. `row["name"]` is None for what is absent; `unread` are the paths that were not told."""

    ref: Any
    values: Mapping[str, Any]
    unread: tuple[str, ...] = ()

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
    return read_along(connected, [start(source, step(type(source), path))], wanted)


def step(kind: Any, path: str, *onward: Any) -> Any:
    """Make a step from each object of a kind to those that a property of it refers to, and onward from there.

    It is named after both, so that `again` can lead back to it. The property must be one of the object's own:
    whether dotted paths lead on is not documented.
    """
    return Query.TraversalSpec(name=_step_name(kind, path), type=kind, path=path, skip=False, selectSet=list(onward))


def again(kind: Any, path: str) -> Any:
    """Make a step back into one that is defined elsewhere in the same start."""
    return Query.SelectionSpec(name=_step_name(kind, path))


def _step_name(kind: Any, path: str) -> str:
    return f"{kind.__name__}.{path}"


def start(source: Any, *onward: Any, itself: bool = False) -> Any:
    """Begin at an object, which is read `itself` or only passed."""
    return Query.ObjectSpec(obj=source, skip=not itself, selectSet=list(onward))


def read_along(connected: Connected, starts: Iterable[Any], wanted: Wanted) -> list[Row]:
    """Read what is met on the way from several starts, each object once; those of no wanted type are passed."""
    return _retrieve(connected, list(starts), wanted)


def stream_along(connected: Connected, starts: Iterable[Any], wanted: Wanted) -> Iterator[Row]:
    """Do what `read_along` does with large pages, one of them in memory at a time, for objects of few properties."""
    return _pages(connected.content.propertyCollector, _filter(list(starts), wanted), THIN_PAGE)


def _retrieve(connected: Connected, targets: list[Any], wanted: Wanted) -> list[Row]:
    return list(_pages(connected.content.propertyCollector, _filter(targets, wanted), PAGE))


def _filter(targets: list[Any], wanted: Wanted) -> Any:
    return Query.FilterSpec(
        objectSet=targets,
        propSet=[Query.PropertySpec(type=kind, all=False, pathSet=list(paths)) for kind, paths in wanted.items()],
        reportMissingObjectsInResults=True,
    )


def _pages(collector: Any, spec: Any, size: int) -> Iterator[Row]:
    page = collector.RetrievePropertiesEx([spec], Query.RetrieveOptions(maxObjects=size))
    while page is not None:
        for entry in page.objects:
            for missing in entry.missingSet:  # govmomi's simulator tells the end of a session property by property
                if isinstance(missing.fault, vim.fault.NotAuthenticated):
                    raise missing.fault
            unread = tuple(missing.path for missing in entry.missingSet)
            yield Row(entry.obj, {change.name: change.val for change in entry.propSet}, unread)
        page = collector.ContinueRetrievePropertiesEx(page.token) if page.token else None
