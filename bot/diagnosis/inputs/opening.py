"""Hands out the texts in a unit, one after the other. What cannot be read becomes a sentence.

Layers are told by their first bytes, never by their names. Nothing that an archive says of links, devices or places
is acted on; memory does not grow with the input.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from datetime import datetime
from io import FileIO
from typing import BinaryIO, TypeAlias

from bot.diagnosis.inputs.budget import Budget
from bot.diagnosis.inputs.contents import Contents
from bot.diagnosis.inputs.entry import Entry, EntryKind
from bot.diagnosis.inputs.entry_name import shown_name
from bot.diagnosis.inputs.files import Opened, opened
from bot.diagnosis.inputs.fragments import fragment
from bot.diagnosis.inputs.member import Limits, Member, Note, Stream, UnreadableError
from bot.diagnosis.inputs.reassembly import Reassembly, Whole
from bot.diagnosis.inputs.rotation import Rank, age
from bot.diagnosis.inputs.sniffing import HEAD, Kind, certainly_no_log, kind_of
from bot.diagnosis.inputs.streams import Bounded, FileStream, Looked, Window
from bot.diagnosis.inputs.tar_archive import entries as tar_entries
from bot.diagnosis.inputs.unit import Unit
from bot.diagnosis.records import dataclass, replace
from bot.diagnosis.verdict import Trouble

Item: TypeAlias = Member | Trouble | Note

_DEFAULT = Limits()
_MOST_PACKED = 3  # compressed over and over: nobody does that but a bomb
_MOST_SORTED = 5_000  # entries of a zip archive; a longer directory is read as it stands
_NULS = 64 * 1024
_UTF_8_MARK = b"\xef\xbb\xbf"
_COMPRESSED = {Kind.XZ: "xz", Kind.BZIP2: "bzip2", Kind.ZSTD: "zstd"}
_UTF_16 = {Kind.UTF_16_LE: "utf-16-le", Kind.UTF_16_BE: "utf-16-be"}


def members(unit: Unit, *, stdin: BinaryIO | None = None, limits: Limits = _DEFAULT) -> Iterator[Item]:
    """Open a unit and yield its texts, each of which is valid until the next is asked for.

    Raises nothing of its own: what cannot be opened, or only in part, is a Trouble, and what was left out for a good
    reason is a Note. Nothing that is compressed takes more than `limits` allow.
    """
    budget = Budget(limits)
    try:
        with opened(unit, budget, stdin) as source:
            yield from _Opening(budget).unit(unit, source)
    except UnreadableError as refusal:
        yield Trouble(unit.name, str(refusal))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a stream was found: under what name, how deep, and in whose tally."""

    name: str
    named: bool
    modified: datetime | None
    depth: int = 0  # archives around it
    packed: int = 0  # compressions since the last archive
    contents: Contents | None = None

    @property
    def plain(self) -> bool:
        return not self.depth and not self.packed


class _Opening:
    """One unit while it is read."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._limits = budget.limits

    def unit(self, unit: Unit, source: Opened) -> Iterator[Item]:
        place = _Place(unit.name, unit.named, source.modified)
        if source.missing:
            yield Trouble(unit.name, source.missing)
        if not unit.named and (kind := certainly_no_log(unit.name)):
            yield Note(unit.name, f"left out: no log by its name ({kind})")
        else:
            yield from self._read(place, source.stream)

    def _read(self, place: _Place, stream: Stream) -> Iterator[Item]:
        """Yield what a stream holds, through all its layers."""
        looked = Looked(stream)
        try:
            kind = self._kind(looked)
        except UnreadableError as refusal:
            if not self._said_by_the_archive(place, stream):
                yield Trouble(place.name, str(refusal))
            return
        match kind:
            case Kind.TEXT | Kind.UTF_16_LE | Kind.UTF_16_BE:
                yield self._member(place, looked, kind)
            case Kind.GZIP | Kind.XZ | Kind.BZIP2 | Kind.ZSTD:
                yield from self._unpacked(place, looked, kind)
            case Kind.TAR:
                yield from self._tar(place, looked)
            case Kind.ZIP:
                yield from self._zip(place, looked, stream)
            case _:
                yield from self._no_log(place, kind)

    @staticmethod
    def _kind(looked: Looked) -> Kind:
        """Tell what a stream is; NULs at its start are left out, as a crash leaves them in front of what came after."""
        kind = kind_of(looked.look(HEAD))
        if kind is Kind.NULS:
            while (head := looked.look(_NULS)) and not head.strip(b"\0"):
                looked.skip(len(head))
            kind = kind_of(head) if head else kind
        if kind in _UTF_16:
            looked.skip(2)  # the mark
        elif looked.look(len(_UTF_8_MARK)).startswith(_UTF_8_MARK):
            looked.skip(len(_UTF_8_MARK))
        return kind

    def _said_by_the_archive(self, place: _Place, stream: Stream) -> bool:
        """Tell whether a failure is not this stream's own but one of the archive around it, which says so itself."""
        broken = isinstance(stream, Window) and stream.broken
        return place.contents is not None and (broken or self._budget.spent is not None)

    def _member(self, place: _Place, stream: Stream, kind: Kind) -> Member:
        if place.contents is not None:
            place.contents.read += 1
        if kind in _UTF_16:
            from bot.diagnosis.inputs.transcoding import Utf16  # noqa: PLC0415 - few logs need it

            stream = Utf16(stream, _UTF_16[kind])
        if not place.plain:
            stream = Bounded(stream, self._limits.member)
        return Member(place.name, place.named, place.modified, stream)

    def _no_log(self, place: _Place, kind: Kind) -> Iterator[Item]:
        match kind:
            case Kind.FOREIGN:
                yield Trouble(place.name, "an archive of a kind that is not opened here: unpack it and give the folder")
                return
            case Kind.EMPTY:
                reason = "empty: there is nothing to read"
            case Kind.NULS:
                reason = "nothing but NUL bytes"
            case _:
                reason = "binary data, not a log"
        if place.contents is None:
            yield (Trouble if place.named else Note)(place.name, reason)
        elif kind is Kind.EMPTY:
            place.contents.empty += 1
        else:
            place.contents.no_text += 1

    def _unpacked(self, place: _Place, stream: Looked, kind: Kind) -> Iterator[Item]:
        from bot.diagnosis.inputs.unpacking import Gunzip, Squeezed, Unpacked  # noqa: PLC0415 - plain logs need none

        if place.packed >= _MOST_PACKED:
            yield Trouble(place.name, f"compressed more than {_MOST_PACKED} times over: not unpacked any further")
            return
        inner = replace(place, packed=place.packed + 1)
        unpacked: Unpacked
        try:
            if kind is Kind.GZIP:
                gunzip = unpacked = Gunzip(stream, self._budget)
                inner = replace(inner, modified=gunzip.modified or place.modified)
            else:
                unpacked = Squeezed(stream, self._budget, _COMPRESSED[kind])
        except UnreadableError as refusal:
            yield Trouble(place.name, str(refusal))
            return
        yield from self._read(inner, unpacked)

    def _tar(self, place: _Place, stream: Looked) -> Iterator[Item]:
        if not self._too_deep(place):
            yield from self._archive(place, tar_entries(stream))
        else:
            yield self._depth_words(place)

    def _zip(self, place: _Place, looked: Looked, stream: Stream) -> Iterator[Item]:
        from bot.diagnosis.inputs.spool import Spool  # noqa: PLC0415 - most inputs are no zip archives
        from bot.diagnosis.inputs.zip_archive import ZipArchive  # noqa: PLC0415

        if self._too_deep(place):
            yield self._depth_words(place)
            return
        spool: Spool | None = None
        reason = ""
        try:
            if isinstance(stream, FileStream) and stream.seekable and isinstance(stream.file, FileIO):
                size = os.fstat(stream.file.fileno()).st_size
                archive = ZipArchive(stream.file, size, self._budget, counted=True)
            else:
                spool = Spool(self._budget)
                piece = spool.add(looked)
                reason = str(piece.failure or "")
                archive = ZipArchive(spool.file, piece.size, self._budget, counted=False)
            order = _by_age if archive.count <= _MOST_SORTED else None
            yield from self._archive(place, archive.entries(order))
        except UnreadableError as refusal:
            yield Trouble(place.name, reason or str(refusal))
        finally:
            if spool is not None:
                spool.close()

    def _too_deep(self, place: _Place) -> bool:
        return place.depth >= self._limits.depth

    def _depth_words(self, place: _Place) -> Trouble:
        return Trouble(place.name, f"archives nested more than {self._limits.depth} deep: this one was not opened")

    def _archive(self, place: _Place, listing: Iterator[Entry]) -> Iterator[Item]:
        """Yield what the entries hold, then what became of them."""
        contents = Contents(place.name)
        if place.contents is not None:
            place.contents.archives += 1
        reassembly = Reassembly(self._budget)
        broken: UnreadableError | None = None
        try:
            try:
                for entry in listing:
                    self._budget.enter()
                    yield from self._entry(place, entry, contents, reassembly)
                    if self._budget.spent is not None:
                        raise self._budget.spent
            except UnreadableError as refusal:
                broken = refusal
            for whole in reassembly.rest():
                yield from self._whole(place, whole, contents)
        finally:
            reassembly.close()
        if broken is not None:
            yield contents.broken(str(broken))
        yield from contents.verdicts(broken=broken is not None)

    def _entry(self, place: _Place, entry: Entry, contents: Contents, reassembly: Reassembly) -> Iterator[Item]:
        if entry.kind is EntryKind.FOLDER:
            return
        if entry.kind is not EntryKind.FILE or entry.body is None:
            contents.kinds[entry.kind] += 1
            return
        part = fragment(entry.name)
        name = part[0] if part else entry.name
        if name.startswith("/") or ".." in name.split("/"):
            contents.outside += 1
        if kind := certainly_no_log(name):
            contents.by_name[kind] += not part or not part[1]  # a file of many fragments is one file
        elif part:
            yield from self._fragment(place, entry, part, contents, reassembly)
        else:
            yield from self._read(self._inside(place, name, entry.modified, contents), entry.body)

    def _fragment(
        self, place: _Place, entry: Entry, part: tuple[str, int], contents: Contents, reassembly: Reassembly
    ) -> Iterator[Item]:
        """Keep a fragment, and yield what the file holds once all of it is there."""
        (name, number), body = part, entry.body
        if body is None or not reassembly.wants(name):
            return
        looked = Looked(body)
        try:
            if not number and kind_of(looked.look(HEAD)) is Kind.BINARY:
                contents.no_text += 1
                reassembly.refuse(name)
                return
            failure = reassembly.add(name, number, looked, entry.modified)
        except UnreadableError as refusal:
            failure = refusal
        if failure is not None and not self._said_by_the_archive(replace(place, contents=contents), body):
            inner = self._inside(place, name, entry.modified, contents)
            yield Trouble(inner.name, f"fragment {number}: {failure}")
        for whole in reassembly.whole(name):
            yield from self._whole(place, whole, contents)

    def _whole(self, place: _Place, whole: Whole, contents: Contents) -> Iterator[Item]:
        inner = self._inside(place, whole.name, whole.modified, contents)
        if whole.missing:
            yield Trouble(inner.name, whole.missing)
        yield from self._read(inner, whole.stream)

    def _inside(self, place: _Place, name: str, modified: datetime | None, contents: Contents) -> _Place:
        """Return the place of an entry, named so that it can be shown anywhere."""
        most = self._limits.name
        if len(name) > most:
            contents.shortened += 1
        shown = shown_name(name, most)
        return _Place(f"{place.name}!/{shown}", place.named, modified, depth=place.depth + 1, contents=contents)


def _by_age(name: str) -> tuple[str, str, Rank, str]:
    folder, base = posixpath.split(name)
    log, rank = age(base)
    return folder, log, rank, base
