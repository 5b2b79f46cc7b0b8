"""PropertyCollector: bulk reads with paging, and filters whose changes a long poll waits for."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from bot.playground.vcenter import faults
from bot.playground.vcenter.properties import Missing, Reader, Rendering
from bot.playground.vcenter.schema import Declared
from bot.playground.vcenter.selection import Chosen, Selection
from bot.playground.vcenter.wire import Ref, element

DEFAULT_COLLECTOR = Ref("PropertyCollector", "propertyCollector")
_REF = Declared("ManagedObject")
_TEXT = Declared("string")
_FAULT = Declared("LocalizedMethodFault")
_LONGEST_WAIT = 20.0


def object_content(reader: Reader, rendering: Rendering, ref: Ref, paths: list[str], tag: str) -> str:
    """Write one ObjectContent: what is set, and what is missing with its fault."""
    parts = [element("obj", ref, _REF)]
    missing = []
    for path in paths:
        value = rendering.read(reader, ref, path)
        if isinstance(value, Missing):
            missing.append(_missing_property(value))
        elif value is not None:
            parts.append(f"<propSet><name>{path}</name>{value}</propSet>")
    return f"<{tag}>{''.join(parts)}{''.join(missing)}</{tag}>"


def _missing_property(missing: Missing) -> str:
    return f"<missingSet><path>{missing.path}</path>{element('fault', missing.fault, _FAULT)}</missingSet>"


class Filter:
    """One PropertyFilter: what it told last, so that it can tell what is new."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self._told: dict[Ref, dict[str, str | Missing]] = {}
        self._told_absent: set[Ref] = set()
        self._chosen = Chosen()
        self._dirty: dict[Ref, None] = {}
        self._seen = 0
        self._shape = -1

    def forget(self) -> None:
        """Start anew: the next update enters every object."""
        self.__init__(self.selection)  # type: ignore[misc]

    def updates(self, reader: Reader, rendering: Rendering, limit: int) -> tuple[list[str], list[str], bool]:
        """Return ObjectUpdates, MissingObjects and whether more are left; the limit counts ObjectUpdates."""
        self._note(reader)
        found: list[str] = []
        for ref in list(self._dirty):
            if len(found) >= limit:
                return found, self._absent(), True
            del self._dirty[ref]
            update = self._update(reader, rendering, ref)
            if update:
                found.append(update)
        return found, self._absent(), False

    def _note(self, reader: Reader) -> None:
        inventory = reader.estate.inventory
        changed = list(inventory.changes.since(self._seen)) if self._seen else []
        self._dirty.update(dict.fromkeys(self.selection.histories_of(changed)))
        fresh = not self._seen or self._shape != inventory.shape or not self._chosen.visited.isdisjoint(changed)
        self._seen, self._shape = inventory.changes.revision, inventory.shape
        if fresh:
            before, self._chosen = self._chosen, self.selection.choose(reader)
            left = before.objects.keys() - self._chosen.objects.keys()
            entered = [ref for ref in self._chosen.objects if ref not in before.objects]
            self._dirty.update(dict.fromkeys([*entered, *left]))
        self._dirty.update(dict.fromkeys(ref for ref in changed if ref in self._chosen.objects))

    def _update(self, reader: Reader, rendering: Rendering, ref: Ref) -> str:
        told = self._told.get(ref)
        if ref not in self._chosen.objects or reader.find(ref) is None:
            rendering.forget(ref)
            return _object_update("leave", ref, "") if self._told.pop(ref, None) is not None else ""
        now = {path: rendering.read(reader, ref, path) for path in self.selection.paths(reader, ref)}
        present = {path: value for path, value in now.items() if value is not None}
        self._told[ref] = present
        if told is None:
            return _object_update("enter", ref, "".join(_change(path, value) for path, value in present.items()))
        news = [_change(path, value) for path, value in now.items() if told.get(path) != value]
        return _object_update("modify", ref, "".join(news)) if news else ""

    def _absent(self) -> list[str]:
        new = [ref for ref in self._chosen.absent if ref not in self._told_absent]
        self._told_absent.update(new)
        return [_missing_object(ref) for ref in new]


def _missing_object(ref: Ref) -> str:
    fault = element("fault", faults.not_found(ref).localized, _FAULT)
    return f"<missingSet>{element('obj', ref, _REF)}{fault}</missingSet>"


def _object_update(kind: str, ref: Ref, content: str) -> str:
    return f"<objectSet><kind>{kind}</kind>{element('obj', ref, _REF)}{content}</objectSet>"


def _change(path: str, value: str | Missing | None) -> str:
    if isinstance(value, Missing):
        return _missing_property(value)
    return f"<changeSet><name>{path}</name><op>assign</op>{value or ''}</changeSet>"


class Collector:
    """One PropertyCollector of one session."""

    def __init__(self, ref: Ref) -> None:
        self.ref = ref
        self.filters: dict[Ref, Filter] = {}
        self._pages: dict[str, tuple[list[str], int]] = {}
        self._tokens = itertools.count(1)
        self._version = 0
        self._answered: tuple[str, str] | None = None
        self._cancelled = 0
        self._destroyed = False

    def page(self, objects: list[str], size: int) -> str:
        """Return a RetrieveResult with the first `size` objects and, if there are more, a token for the rest."""
        head, rest = objects[:size], objects[size:]
        if not head:
            return ""
        token = ""
        if rest:
            name = str(next(self._tokens))
            self._pages[name] = (rest, size)
            token = element("token", name, _TEXT)
        return f"<returnval>{token}{''.join(head)}</returnval>"

    def next_page(self, token: str) -> str:
        """Return what a token stands for; each works once."""
        if token not in self._pages:
            raise faults.invalid_argument("token")
        return self.page(*self._pages.pop(token))

    def drop_pages(self, token: str) -> None:
        self._pages.pop(token, None)

    def cancel(self) -> None:
        """End the long polls that run now with RequestCanceled; the caller rings the bell."""
        self._cancelled += 1

    def destroy(self) -> None:
        self.cancel()
        self._destroyed = True
        self.filters.clear()

    async def wait(
        self, reader: Reader, rendering: Rendering,
        *, version: str, seconds: float | None, limit: int, gone: Callable[[], bool],
    ) -> str:  # fmt: skip
        """Return an UpdateSet with all that is new since `version`, or nothing when the time is over.

        A version that was answered already is answered the same way again, since the reply may have been lost.
        """
        if self._answered and version == self._answered[0] != "":
            return self._answered[1]
        if version == "":
            for filter_ in self.filters.values():
                filter_.forget()
        elif version != str(self._version):
            raise faults.invalid_collector_version()
        clock, cancelled = asyncio.get_running_loop().time, self._cancelled
        end = None if seconds is None else clock() + seconds
        changes = reader.estate.inventory.changes
        while True:
            self._check(reader, cancelled)
            revision = changes.revision
            update = self._update_set(reader, rendering, limit)
            if update:
                self._version += 1
                text = f"<returnval><version>{self._version}</version>{update}</returnval>"
                self._answered = (version, text)
                return text
            left = _LONGEST_WAIT if end is None else end - clock()
            if left <= 0 or gone():
                return ""
            await changes.wait(beyond=revision, seconds=min(left, _LONGEST_WAIT))

    def _check(self, reader: Reader, cancelled: int) -> None:
        if reader.session is None or not reader.session.alive:
            raise faults.not_authenticated(self.ref)
        if self._cancelled != cancelled:
            raise faults.request_canceled()

    def _update_set(self, reader: Reader, rendering: Rendering, limit: int) -> str:
        sets: list[str] = []
        for ref, filter_ in list(self.filters.items()):
            found, absent, more = filter_.updates(reader, rendering, limit)
            limit -= len(found)
            if found or absent:
                sets.append(f"<filterSet>{element('filter', ref, _REF)}{''.join(found)}{''.join(absent)}</filterSet>")
            if more:
                return f"{''.join(sets)}<truncated>true</truncated>"
        return "".join(sets)


def as_collector(thing: Any) -> Collector:
    """Narrow what a MoRef led to. Refuses what is no collector."""
    if not isinstance(thing, Collector):
        raise faults.invalid_argument("_this", "expected a PropertyCollector")
    return thing
