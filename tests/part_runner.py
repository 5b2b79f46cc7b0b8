"""What `make bench` and `make chaos` share: finding parts, running one after the other, and what is said meanwhile.

A part is a module of a folder with a `NAME` and a coroutine function; what that returns is its runner's business.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import platform
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Protocol, TypeVar

BROKEN, TERMINATED = 2, 143
"""Exit codes: a part, or the frame itself, is defective; somebody stopped it."""

Result = TypeVar("Result")


class Named(Protocol):
    """A part, as far as it is known here."""

    @property
    def name(self) -> str: ...


Chosen = TypeVar("Chosen", bound=Named)


def modules_in(folder: Path) -> list[ModuleType]:
    """The module of every part there is, in the order of its file's name."""
    return [_module(file) for file in sorted(folder.glob("*.py"))]


def _module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{file.parents[1].name}_part_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def choose(parts: Sequence[Chosen], only: Sequence[str]) -> list[Chosen] | None:
    """Those that were asked for, all without a wish. None, and a sentence, when there is no such part."""
    names = [part.name for part in parts]
    if unknown := set(only) - set(names):
        say(f"There is no part {', '.join(sorted(unknown))}. Parts: {', '.join(names)}.")
        return None
    return [part for part in parts if not only or part.name in only]


async def run_all(
    parts: Sequence[Chosen], one: Callable[[Chosen], Awaitable[Sequence[Result]]]
) -> tuple[list[Result], list[str]]:
    """All results, and the names of the parts that could not be carried out."""
    task = asyncio.current_task()
    assert task is not None
    # SIGTERM becomes a cancellation, so that every part ends its children.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    results: list[Result] = []
    broken: list[str] = []
    for part in parts:
        started = monotonic()
        say(f"{part.name}: begins; {machine()}")
        try:
            results += await one(part)
        except Exception:  # noqa: BLE001 - one part that breaks must not cost the others
            traceback.print_exc()
            broken.append(part.name)
        say(f"{part.name}: took {monotonic() - started:.0f} s")
    return results, broken


def exit_code(run: Callable[[], int]) -> int:
    """What `run` answers. Python would end with 1 for a defect of the frame, and 1 means a broken promise or goal."""
    try:
        return run()
    except Exception:  # noqa: BLE001 - see above
        traceback.print_exc()
        return BROKEN


def machine() -> str:
    """How busy the machine is, beside every figure."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, load {load}, Python {platform.python_version()}, {platform.system()}"


def say(sentence: str) -> None:
    """To standard error: standard output is for the table."""
    print(sentence, file=sys.stderr, flush=True)
