"""Reads the header of a line: when, how bad, who, which operation. The grammars are data, in `formats/*.toml`.

No line is refused: what no grammar knows stays text without a header. Loading only reads data; a pattern is compiled
when a line first needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from bot.diagnosis.event import Header
from bot.diagnosis.grammar import Grammar, grammar, header_of
from bot.diagnosis.patterns import HeadPattern, PatternError
from bot.diagnosis.records import dataclass, replace
from bot.diagnosis.shelf import tables
from bot.diagnosis.stamps import Years, read_timestamp
from bot.errors import UserError

__all__ = ["FOLDER", "Format", "HeaderReader", "check_samples", "load_formats", "read_timestamp"]

FOLDER = Path(__file__).parent / "formats"
_PARTS = "parts.toml"  # not a format: what the patterns of several have in common, used as (?&name)
_HEAD = 2048  # no header is longer; the message behind it costs nothing
_QUOTED = " \t>"  # what a line wears that was pasted from a mail, a page or a chat


@dataclass(frozen=True, slots=True)
class Format:
    """One generation of log lines, as data.

    `starts` are the characters that such a line may begin with, any where it is empty. A `general` format knows
    little more than where a time stands; it is asked after all others. `process` is what writes this format where the
    line does not say. `samples` say what must be read from what, and are checked by `check_samples`.
    """

    id: str
    title: str
    patterns: tuple[str, ...]
    process: str | None
    samples: tuple[Mapping[str, Any], ...]
    starts: str = ""
    general: bool = False

    def read(self, text: str, *, zone: tzinfo = UTC) -> Header | None:
        """Read one line by this format alone."""
        head, data = _head(text)
        return _read(self, tuple(map(grammar, self.patterns)), head, data, zone) if self.may_begin(head) else None

    def may_begin(self, head: str) -> bool:
        return not self.starts or head[:1] in self.starts


class HeaderReader:
    """Reads lines, and tries the grammar that fitted last before the others: neighbours in a file are of one kind.

    `zone` is the one of stamps that bear none.
    """

    def __init__(self, formats: Sequence[Format], *, zone: tzinfo = UTC) -> None:
        self._formats = formats
        self._zone = zone
        self._starting: dict[str, list[Format]] = {}
        self._general: dict[str, list[Format]] = {}
        self._grammars: dict[str, tuple[Grammar, ...]] = {}

    def read(self, text: str, years: Years | None = None) -> Header | None:
        """Return the header, or None; `years` is kept by the caller, one for each file, and finds missing years."""
        head, data = _head(text)
        header = self._specific(head, data) or self._vague(head, data) or self._behind_name(head, data)
        return header if header is None or years is None else self._dated(header, years)

    def _specific(self, head: str, data: bytes) -> Header | None:
        candidates = self._starting.get(head[:1])
        if candidates is None:
            candidates = self._starting[head[:1]] = self._fitting(head, general=False)
        for position, candidate in enumerate(candidates):
            if header := self._try(candidate, head, data):
                if position:
                    candidates.insert(0, candidates.pop(position))
                return header
        return None

    def _vague(self, head: str, data: bytes) -> Header | None:
        """Ask the general formats, always in their order: they overlap."""
        candidates = self._general.get(head[:1])
        if candidates is None:
            candidates = self._general[head[:1]] = self._fitting(head, general=True)
        return next((found for candidate in candidates if (found := self._try(candidate, head, data))), None)

    def _behind_name(self, head: str, data: bytes) -> Header | None:
        """Read on behind the name of a file, as grep puts one before each line it found."""
        spans = _file_name().spans(data) if "." in head else None
        if spans is None:
            return None
        head, data = _head(head[spans[0][1] :])
        return self._specific(head, data) or self._vague(head, data)

    def _fitting(self, head: str, *, general: bool) -> list[Format]:
        return [known for known in self._formats if known.general is general and known.may_begin(head)]

    def _try(self, candidate: Format, head: str, data: bytes) -> Header | None:
        grammars = self._grammars.get(candidate.id)
        if grammars is None:
            grammars = self._grammars[candidate.id] = tuple(map(grammar, candidate.patterns))
        return _read(candidate, grammars, head, data, self._zone)

    def _dated(self, header: Header, years: Years) -> Header:
        if header.timestamp is not None:
            years.saw(header.timestamp)
        elif header.wall is not None:
            return replace(header, timestamp=years.resolve(header.wall, self._zone))
        return header


def _head(text: str) -> tuple[str, bytes]:
    """Return the start of a line, and the same in bytes, one for each character: what is not Latin is a `?`."""
    head = text[:_HEAD].lstrip(_QUOTED)
    return head, head.encode("latin-1", "replace")


@cache
def _file_name() -> HeadPattern:
    return HeadPattern(r"^[^\s:\[]{1,200}\.(?:log|txt|gz|\d{1,3})(?:\.gz)?:(?:\d{1,9}:)?")


def _read(known: Format, grammars: tuple[Grammar, ...], head: str, data: bytes, zone: tzinfo) -> Header | None:
    for pattern in grammars:
        fields = pattern.read(head, data)
        if fields is not None:
            return header_of(fields, known.id, process=known.process, zone=zone)
    return None


def load_formats(folder: Path = FOLDER) -> tuple[Format, ...]:
    """Read every format of the folder, in the order of their names; raise UserError naming file and key.

    The formats that are shipped are proven by their samples and compile when first needed; those of another folder
    are compiled here, so that a mistake in one is told at once.
    """
    files = _shipped() if folder == FOLDER else {path: _toml(path) for path in sorted(folder.glob("*.toml"))}
    parts = _parts(files.get(folder / _PARTS) or _toml(FOLDER / _PARTS))
    return tuple(
        _read_file(path, raw, parts, proven=folder == FOLDER) for path, raw in files.items() if path.name != _PARTS
    )


def _shipped() -> dict[Path, dict[str, Any]]:
    paths = sorted(FOLDER.glob("*.toml"))
    return dict(zip(paths, tables(paths), strict=True))


def check_samples(formats: Sequence[Format]) -> list[str]:
    """Return one sentence for each sample that is not read, by its own format and no other, into what it promises."""
    return [
        complaint
        for known in formats
        for sample in known.samples
        for complaint in _complaints(known, formats, dict(sample))
    ]


def _complaints(known: Format, formats: Sequence[Format], sample: dict[str, Any]) -> Iterator[str]:
    text = sample.pop("text")
    if rivals := [other.id for other in formats if other is not known and not other.general and other.read(text)]:
        yield f"format {known.id}: also read by {', '.join(rivals)}: {text}"
    header = HeaderReader(formats).read(text)
    if header is None or header.format != known.id:
        yield f"format {known.id}: read by {header.format if header else 'no grammar'}: {text}"
        return
    for key, wanted in sample.items():
        if (got := _shown(header, key)) != wanted:
            yield f"format {known.id}: {key} is {got!r}, expected {wanted!r}: {text}"


def _shown(header: Header, key: str) -> str | bool | None:
    if key == "timestamp":
        return header.timestamp.isoformat(timespec="milliseconds") if header.timestamp else None
    value = getattr(header, "op_id" if key == "opid" else key, None)
    return value if value is None or isinstance(value, bool) else str(value)


def _read_file(path: Path, raw: Mapping[str, Any], parts: Mapping[str, str], *, proven: bool) -> Format:
    try:
        read = Format(
            id=raw["id"],
            title=raw["title"],
            patterns=tuple(_expand(pattern, parts) for pattern in raw["patterns"]),
            process=raw.get("process"),
            samples=tuple(raw["samples"]),
            starts=_expand(raw.get("starts", ""), parts),
            general=raw.get("general", False),
        )
    except KeyError as missing:
        raise UserError(f"{path}: {missing.args[0]}: missing") from missing
    if not read.samples:
        raise UserError(f"{path}: samples: a grammar without a sample cannot be trusted")
    if not proven:
        _compile(read, path)
    return read


def _compile(known: Format, path: Path) -> None:
    for pattern in known.patterns:
        try:
            grammar(pattern)
        except PatternError as refusal:
            raise UserError(f"{path}: patterns: {refusal}") from refusal


def _parts(raw: Mapping[str, str]) -> Mapping[str, str]:
    parts: dict[str, str] = {}
    for name, pattern in raw.items():
        parts[name] = _expand(pattern, parts)
    return parts


def _expand(pattern: str, parts: Mapping[str, str]) -> str:
    for name, part in parts.items():
        pattern = pattern.replace(f"(?&{name})", part)
    return pattern


def _toml(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - the shipped formats are kept compiled

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as refusal:
        raise UserError(f"{path}: not TOML: {refusal}") from refusal
