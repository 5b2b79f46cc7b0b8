"""A list of VMs as people hand it over: a CSV from a spreadsheet, or a name on each line. Pure; nothing is looked up.

Columns are vm, site, host and datastore: in this order, or as a first row names them; such a row may also name options,
disks and networks. What is not understood is told of with its line, all of it at once; a list is understood as a whole
or not at all.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.errors import UserError
from bot.operations.option import Option, disk_label, pair

LARGEST: Final = 1024 * 1024
LONGEST_NAME: Final = 255

COLUMNS: Final = ("vm", "site", "host", "datastore")
"""What the columns are where no row names them."""
_PAIRED: Final = {"disk": "Hard disk 2=ds-c2-02", "network": "VM Network=Production"}
_NAMED: Final = (*COLUMNS, *_PAIRED, *Option)
_ALSO: Final = {
    "name": "vm",
    "virtual machine": "vm",
    "target site": "site",
    "target host": "host",
    "disks": "disk",
    "networks": "network",
    **{option.replace("-", " "): option.value for option in Option},
    **{option.replace("-", "_"): option.value for option in Option},
}
_BETWEEN_PAIRS: Final = "|"
_YES: Final = frozenset({"yes", "y", "true", "1", "x", "on"})
_NO: Final = frozenset({"no", "n", "false", "0", "off"})
_SEPARATORS: Final = (";", "\t", ",")
_EXAMPLE: Final = "vm,site,host,datastore"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One VM of a list, and where it stands there. Empty: nothing was said, and what holds for all holds for it."""

    line: int
    vm: str
    site: str = ""
    host: str = ""
    datastore: str = ""
    options: Mapping[Option, bool] = field(default_factory=dict)
    disks: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VmList:
    """What was understood, and what was not: a sentence each, with its line."""

    entries: Sequence[Entry]
    wrong: Sequence[str]


def read_list(data: bytes, *, name: str) -> VmList:
    """The VMs in a file. UserError for one that is too large, no text, or empty."""
    if len(data) > LARGEST:
        raise UserError(f"{name} has {len(data) / LARGEST:.1f} MB; a list of VMs has at most {LARGEST // 2**20} MB.")
    rows = list(_rows(_text(data, name)))
    if not rows:
        raise UserError(f"{name} names no VM.", example=_EXAMPLE)
    order, wrong = _header(rows[0])
    entries: list[Entry] = []
    for row in rows[1:] if order else rows:
        found = _entry(row, order or COLUMNS)
        if isinstance(found, Entry):
            entries.append(found)
        else:
            wrong.append(found)
    if not entries and not wrong:
        raise UserError(f"{name} has a row of column names, and no VM below it.", example=_EXAMPLE)
    return VmList(entries, wrong)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Sequence[str]
    broken: str = ""


def _text(data: bytes, name: str) -> str:
    """Spreadsheets write UTF-8 with a mark, or UTF-16."""
    coding = "utf-16" if data.startswith(_UTF16) else "utf-8-sig"
    try:
        text = data.decode(coding)
    except UnicodeDecodeError:
        raise UserError(f"{name} is no text in UTF-8. From a spreadsheet, save it as 'CSV UTF-8'.") from None
    if "\0" in text:
        raise UserError(f"{name} is no text. I take a CSV, or a plain list of VMs.")
    return text


def _rows(text: str) -> Iterator[_Row]:
    """All that is neither blank nor a comment, taken apart. A quote that is never closed ends it."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_separator(text), skipinitialspace=True, strict=True)
    first = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Row(first, (), f"a quote is not closed, or something stands behind it ({error})")
            return
        line, first = first, reader.line_num + 1
        shown = [cell.strip() for cell in cells]
        while shown and not shown[-1]:
            shown.pop()  # spreadsheets fill up short rows
        if shown and not shown[0].startswith("#"):
            yield _Row(line, shown)


def _separator(text: str) -> str:
    """What the first line that says anything is separated by."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            outside = "".join(line.split('"')[::2])
            return max(_SEPARATORS, key=outside.count)
    return ","


def _header(row: _Row) -> tuple[Sequence[str], list[str]]:
    """The columns in their order if this row names them, and what of it is not known; else nothing."""
    folded = [" ".join(cell.casefold().split()) for cell in row.cells]
    names = [_ALSO.get(cell, cell) for cell in folded]
    if "vm" not in names:
        return (), []
    wrong = [
        f"line {row.line}: there is no column '{cell[:60]}'. There are: {', '.join(_NAMED)}."
        for cell, name in zip(row.cells, names, strict=True)
        if name not in _NAMED
    ]
    wrong += [f"line {row.line}: the column {name} is there twice." for name in _NAMED if names.count(name) > 1]
    return names, wrong


def _entry(row: _Row, order: Sequence[str]) -> Entry | str:
    """The row as an entry, or what is wrong with it."""
    if row.broken:
        return f"line {row.line}: {row.broken}."
    if len(row.cells) > len(order):
        return f"line {row.line}: {len(row.cells)} columns, where there are {len(order)}: {', '.join(order)}."
    said: Mapping[str, str] = dict(zip(order, row.cells, strict=False))
    if not said.get("vm"):
        return f"line {row.line}: it names no VM."
    for column, cell in said.items():
        if (column not in _PAIRED and len(cell) > LONGEST_NAME) or not cell.isprintable():
            return f"line {row.line}: its {column} is no name: '{_clipped(cell)}'."
    try:
        return Entry(
            row.line,
            said["vm"],
            said.get("site", ""),
            said.get("host", ""),
            said.get("datastore", ""),
            options={option: _yes(option, given) for option in Option if (given := said.get(option))},
            disks=_pairs("disk", said.get("disk", "")),
            networks=_pairs("network", said.get("network", "")),
        )
    except UserError as error:
        return f"line {row.line}: {error}"


def _yes(option: Option, cell: str) -> bool:
    if cell.casefold() in _YES | _NO:
        return cell.casefold() in _YES
    raise UserError(f"its {option} is neither yes nor no: '{_clipped(cell)}'.")


def _pairs(column: str, cell: str) -> dict[str, str]:
    """`A=B | C=D`: several in one cell."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, cell.split(_BETWEEN_PAIRS))):
        name, sign, target = part.partition("=")
        known = disk_label(name) if column == "disk" else name
        pair(f"{known}{sign}{target}", found, option=f"its {column}", example=_PAIRED[column])
    return found


def _clipped(cell: str) -> str:
    return cell if len(cell) <= 60 else f"{cell[:60]}…"  # noqa: PLR2004 - what a sentence bears
