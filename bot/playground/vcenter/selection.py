"""Which objects a PropertyFilterSpec picks, and which of their properties: object sets, traversals, property sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.playground.vcenter import faults
from bot.playground.vcenter.properties import Reader
from bot.playground.vcenter.schema import schema
from bot.playground.vcenter.wire import Node, Ref

_FEEDS = {"EventHistoryCollector": "EventManager", "TaskHistoryCollector": "TaskManager"}


@dataclass(frozen=True)
class Step:
    """A TraversalSpec. `onward` are steps, or names of steps defined elsewhere in the spec."""

    name: str
    type: str
    path: str
    skip: bool
    onward: tuple[Step | str, ...]


@dataclass(frozen=True)
class Start:
    ref: Ref
    skip: bool
    onward: tuple[Step | str, ...]


@dataclass(frozen=True)
class Wanted:
    """A PropertySpec."""

    type: str
    everything: bool
    paths: tuple[str, ...]


@dataclass
class Chosen:
    """What a spec picks now. `visited` were read to find that out; `absent` are starts that do not exist.

    `types`: of those that were met, whether they are wanted at all.
    """

    objects: dict[Ref, None] = field(default_factory=dict)
    types: dict[str, bool] = field(default_factory=dict)
    visited: set[Ref] = field(default_factory=set)
    absent: list[Ref] = field(default_factory=list)


@dataclass(frozen=True)
class Selection:
    """A parsed PropertyFilterSpec."""

    starts: tuple[Start, ...]
    wanted: tuple[Wanted, ...]
    report_absent: bool

    def choose(self, reader: Reader) -> Chosen:
        """Walk the spec over the objects as they are now. Those that no PropertySpec is for are passed in silence."""
        chosen = Chosen()
        for start in self.starts:
            if reader.find(start.ref) is None:
                chosen.absent.append(start.ref)
                continue
            named = {step.name: step for step in _steps(start.onward) if step.name}
            if not start.skip:
                self._take(start.ref, chosen)
            self._follow(reader, start.ref, start.onward, named=named, chosen=chosen, been=set())
        return chosen

    def histories_of(self, changed: list[Ref]) -> Iterator[Ref]:
        """Yield the history collectors among the starts whose histories changed."""
        managers = {ref.type for ref in changed}
        for start in self.starts:
            if _FEEDS.get(start.ref.type) in managers:
                yield start.ref

    def paths(self, reader: Reader, ref: Ref) -> list[str]:
        """Return the property paths wanted of an object, by its type and the types it extends."""
        paths: dict[str, None] = {}
        for wanted in self.wanted:
            if schema().extends(ref.type, wanted.type):
                paths.update(dict.fromkeys(reader.paths(ref) if wanted.everything else wanted.paths))
        return list(paths)

    def _take(self, ref: Ref, chosen: Chosen) -> None:
        if ref.type not in chosen.types:
            chosen.types[ref.type] = any(schema().extends(ref.type, wanted.type) for wanted in self.wanted)
        if chosen.types[ref.type]:
            chosen.objects[ref] = None

    def _follow(
        self, reader: Reader, ref: Ref, onward: tuple[Step | str, ...],
        *, named: dict[str, Step], chosen: Chosen, been: set[tuple[Ref, int]],
    ) -> None:  # fmt: skip
        for entry in onward:
            step = named.get(entry) if isinstance(entry, str) else entry
            if step is None or not schema().extends(ref.type, step.type) or (ref, id(step)) in been:
                continue
            been.add((ref, id(step)))
            chosen.visited.add(ref)
            found = reader.raw(ref, step.path)
            for below in found if isinstance(found, list) else [found]:
                if not isinstance(below, Ref) or not reader.shows(below):
                    continue
                if not step.skip:
                    self._take(below, chosen)
                self._follow(reader, below, step.onward, named=named, chosen=chosen, been=been)


def parse_selection(spec: Node) -> Selection:
    """Read a PropertyFilterSpec. Refuses a spec without objects or properties with InvalidArgument."""
    starts = tuple(_start(node) for node in spec.all("objectSet"))
    wanted = tuple(
        Wanted(node.value("type") or "", node.flag("all"), tuple(path.text for path in node.all("pathSet")))
        for node in spec.all("propSet")
    )
    if not starts or not wanted:
        raise faults.invalid_argument("specSet", "expected at least one objectSet and one propSet")
    return Selection(starts, wanted, spec.flag("reportMissingObjectsInResults"))


def _start(node: Node) -> Start:
    ref = node.reference("obj")
    if ref is None:
        raise faults.invalid_argument("specSet.objectSet.obj")
    return Start(ref, node.flag("skip"), _onward(node))


def _onward(node: Node) -> tuple[Step | str, ...]:
    return tuple(_step(child) for child in node.all("selectSet"))


def _step(node: Node) -> Step | str:
    if node.type != "TraversalSpec":
        return node.value("name") or ""
    return Step(
        node.value("name") or "", node.value("type") or "", node.value("path") or "", node.flag("skip"), _onward(node)
    )


def _steps(onward: tuple[Step | str, ...]) -> Iterator[Step]:
    for step in onward:
        if isinstance(step, Step):
            yield step
            yield from _steps(step.onward)
