"""Child processes of a benchmark: started like the product's roles, watched, and ended however the benchmark ends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from bot.settings import with_environment
from bot.store import leash

ROOT: Final = Path(__file__).resolve().parents[2]
GRACE: Final = 10.0


class ChildError(Exception):
    """A child ended that should still run, so what was measured means nothing."""


@asynccontextmanager
async def child(
    name: str,
    module: str,
    *words: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
    stdin: int = asyncio.subprocess.DEVNULL,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m module words…` while the block runs, its output on a pipe, its complaints in `name`.log in `folder`.

    ChildError if it ended by itself; any error has the end of its log as a note. On Linux a killed benchmark takes it
    along.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *_tied([python, "-m", module, *words]),
            cwd=ROOT,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=file,
            start_new_session=True,  # Ctrl-C is for us; we end the children in order
            env=with_environment(environment or {}),
        )
    try:
        yield process
        _require_alive(name, process)
    except BaseException as error:
        error.add_note(f"The log of the {name} ends:\n{_end_of(log)}")
        raise
    finally:
        await _ended(process)


def _require_alive(name: str, process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        raise ChildError(f"the {name} ended with {process.returncode} while it was measured")


def _tied(command: Sequence[str]) -> list[str]:
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", leash.__file__, "tie", str(os.getpid()), *command]


async def _ended(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(GRACE):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
