"""Reads inputs whole, and packs things into archives."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.diagnosis.inputs.member import Limits, Member, Note, UnreadableError
from bot.diagnosis.inputs.opening import members
from bot.diagnosis.inputs.unit import units
from bot.diagnosis.verdict import Trouble

LINE = b"2026-01-05T10:00:00.000Z In(166) Vpxa[100]: [Originator@6876 sub=vpxLro opID=HB-host-1@2-3] FINISH lro-%d\n"


def lines(count: int, start: int = 0) -> bytes:
    return b"".join(LINE % number for number in range(start, start + count))


@dataclass
class Readout:
    """What came out of some inputs: texts by name, in order, and what was said."""

    texts: dict[str, bytes] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    opened: list[Member] = field(default_factory=list)

    @property
    def reasons(self) -> list[str]:
        return [reason for _, reason in self.errors]


def read(
    *paths: Path | str, stdin: Any = None, limits: Limits | None = None, base: Path | None = None, block: int = 1 << 18
) -> Readout:
    """Read everything; names are given relative to `base`."""
    out = Readout()
    buffer = memoryview(bytearray(block))

    def short(name: str) -> str:
        return name.removeprefix(f"{base}/") if base else name

    for unit in units(paths):
        for item in members(unit, stdin=stdin, limits=limits or Limits()):
            match item:
                case Trouble():
                    out.errors.append((short(item.file), item.reason))
                case Note():
                    out.notes.append((short(item.file), item.reason))
                case _:
                    out.opened.append(item)
                    assert short(item.name) not in out.texts, "a name is handed out once"
                    got = bytearray()
                    out.texts[short(item.name)] = b""
                    try:
                        while size := item.readinto(buffer):
                            got += buffer[:size]
                    except UnreadableError as refusal:
                        out.errors.append((short(item.name), str(refusal)))
                    out.texts[short(item.name)] = bytes(got)
    return out


def tar_of(entries: Iterable[tuple[str | tarfile.TarInfo, bytes]], mode: str = "w", **options: Any) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode, **options) as tar:  # type: ignore[call-overload]
        for entry, data in entries:
            info = entry if isinstance(entry, tarfile.TarInfo) else tarfile.TarInfo(entry)
            info.size = info.size or len(data)
            tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def zip_of(entries: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for entry, data in entries:
            archive.writestr(entry, data)
    return packed.getvalue()
