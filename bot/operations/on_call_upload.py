"""Reading what strangers hand over: in a child process with limits, whose answer is checked like a stranger's own.

A log is hostile input: it may be a bomb, or made to meet a defect of a library. The child has no secret, no network
need, little memory and little time; if it dies, that is a sentence, and nothing else has happened.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from bot.diagnosis.verdict import Report
from bot.errors import UserError
from bot.operations.on_call_child import OUT_OF_MEMORY

LONGEST_REPORT: Final = 32_000_000
"""Bytes of JSON that a child may say. A thousand incidents with all their lines are a third of it."""

_COMPLAINT: Final = 2_000
_BY_HAND: Final = "Run coldmigrate diagnose on it where it lies, or hand over the part around the failure."
_NAME: Final = re.compile(r"[^\w.-]+")
_LONGEST_NAME: Final = 100
_REPORT: Final = TypeAdapter(Report)
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cage:
    """What the child may take: bytes of memory, seconds on a processor, open files, bytes it may lay down.

    `within`: how long it may take by the clock on the wall.
    """

    memory: int = 1024 * _MIB
    seconds: int = 120
    files: int = 64
    written: int = 300 * _MIB
    within: timedelta = timedelta(seconds=180)

    def limits(self) -> dict[str, int]:
        return {name: value for name, value in asdict(self).items() if name != "within"}


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes that somebody handed over, and what they call them."""

    data: bytes = field(repr=False)
    name: str
    since: datetime | None = None


async def read_upload(upload: Upload, *, rules: Sequence[Path] = (), cage: Cage | None = None) -> Report:
    """The report on what was handed over. UserError when it takes more than it may, or breaks what reads it."""
    cage = cage or Cage()
    with tempfile.TemporaryDirectory(prefix="coldmigrate-") as folder:  # mode 0700, and gone with its file
        file = Path(folder) / safe_name(upload.name)
        await asyncio.to_thread(file.write_bytes, upload.data)
        wanted = {"limits": cage.limits(), "since": upload.since.isoformat() if upload.since else None}
        said = await _run(wanted, file, rules, cage)
    return await asyncio.to_thread(_report, said, upload.name)


def safe_name(name: str) -> str:
    """A name for the file that keeps what tells one log from another, and steers nothing."""
    plain = _NAME.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).lstrip(".-_")
    return plain[-_LONGEST_NAME:].lstrip(".-_") or "pasted.log"


async def _run(wanted: Mapping[str, Any], file: Path, rules: Sequence[Path], cage: Cage) -> bytes:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-m", "bot.operations.on_call_child", json.dumps(wanted), file.name, *map(str, rules)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=file.parent,
        env={"LC_ALL": "C.UTF-8", "TMPDIR": str(file.parent)},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(cage.within.total_seconds()):
            said, complaint, code = await asyncio.gather(
                _bounded(child.stdout, LONGEST_REPORT), _bounded(child.stderr, _COMPLAINT), child.wait()
            )
    except TimeoutError:
        raise UserError(_took_too_long(cage)) from None
    finally:
        await _end(child)
    if code or len(said) > LONGEST_REPORT:
        raise UserError(_why(code, complaint, cage))
    return said


async def _bounded(stream: asyncio.StreamReader | None, most: int) -> bytes:
    """All that is said up to a bound and a little more; the rest is heard and dropped, so that nobody waits."""
    said = bytearray()
    while stream is not None and (part := await stream.read(1 << 16)):
        if len(said) <= most:
            said += part
    return bytes(said)


async def _end(child: asyncio.subprocess.Process) -> None:
    """Leave nothing of it behind, whatever it has started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.wait()


def _took_too_long(cage: Cage) -> str:
    return f"Reading it was stopped after {cage.within.total_seconds():g} s: it is too much. {_BY_HAND}"


def _why(code: int, complaint: bytes, cage: Cage) -> str:
    if code == OUT_OF_MEMORY or b"MemoryError" in complaint or b"std::bad_alloc" in complaint:
        return f"Reading it was stopped: it takes more than {cage.memory // _MIB} MB of memory. {_BY_HAND}"
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"Reading it was stopped after {cage.seconds} s of work: it is too much. {_BY_HAND}"
    if code < 0:
        return f"Reading it was stopped: what reads it broke ({_signal(-code)}). {_BY_HAND}"
    if not code:
        return f"There is too much in it to be told: more than {LONGEST_REPORT // 1_000_000} MB. {_BY_HAND}"
    return f"It could not be read: what reads it gave up (exit code {code}). {_BY_HAND}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _report(said: bytes, name: str) -> Report:
    try:
        told = json.loads(said)
        return _REPORT.validate_python({key: value for key, value in dict(told).items() if key != "schema"})
    except (ValueError, TypeError, ValidationError, RecursionError) as error:
        raise UserError(f"What was found in {name or 'it'} could not be understood; nothing is said of it.") from error
