"""`make bench`: runs the parts one after the other, prints a table, writes build/bench.json.

A part is a module in `parts/` with a `NAME` and a coroutine function `measure` that returns its figures. Nothing here
knows what is measured. Exit 0: all goals met; 1: a goal was missed; 2: something could not be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import platform
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from tests.bench.figures import Figure, save, table

HERE: Final = Path(__file__).resolve().parent
FILE: Final = HERE.parents[1] / "build" / "bench.json"
LONGEST: Final = timedelta(minutes=5)
"""A part that takes longer is a defect of the part."""

MISSED, BROKEN, TERMINATED = 1, 2, 143


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    measure: Callable[[], Awaitable[list[Figure]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; 1 means a missed goal and nothing else, so a defect of the frame itself is a 2."""
    try:
        return _bench(arguments)
    except Exception:  # noqa: BLE001 - Python would end with 1
        traceback.print_exc()
        return BROKEN


def _bench(arguments: Sequence[str] | None) -> int:
    options = _options(arguments)
    parts = _parts(options.parts)
    unknown = set(options.only) - {part.name for part in parts}
    if unknown:
        _say(f"There is no part {', '.join(sorted(unknown))}. Parts: {', '.join(part.name for part in parts)}.")
        return BROKEN
    chosen = [part for part in parts if not options.only or part.name in options.only]
    try:
        figures, broken = asyncio.run(_all(chosen))
    except (KeyboardInterrupt, asyncio.CancelledError):
        _say("Stopped; nothing was written.")
        return TERMINATED
    save(figures, options.file, keep_others_than=options.only or None)
    print(f"{_machine()}\n\n{table(figures)}")
    return _verdict(figures, broken)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure.", epilog="make bench ONLY='ack queue'")
    parser.add_argument("only", nargs="*", metavar="PART", help="measure these parts and leave other rows as they are")
    parser.add_argument("--parts", type=Path, default=HERE / "parts", help="where the parts are")
    parser.add_argument("--file", type=Path, default=FILE, help="where the figures go")
    return parser.parse_args(arguments)


def _parts(folder: Path) -> list[Part]:
    return [_part(file) for file in sorted(folder.glob("*.py"))]


def _part(file: Path) -> Part:
    spec = importlib.util.spec_from_file_location(f"bench_part_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return Part(module.NAME, module.measure)


async def _all(parts: Sequence[Part]) -> tuple[list[Figure], list[str]]:
    """The figures, and the names of the parts that could not be measured."""
    task = asyncio.current_task()
    assert task is not None
    # SIGTERM becomes a cancellation, so that every part ends its children.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    figures: list[Figure] = []
    broken: list[str] = []
    for part in parts:
        started = monotonic()
        _say(f"{part.name}: {_machine()}")
        try:
            figures += await _one(part)
        except Exception:  # noqa: BLE001 - one part that breaks must not cost the others
            traceback.print_exc()
            broken.append(part.name)
        _say(f"{part.name}: took {monotonic() - started:.0f} s")
    return figures, broken


async def _one(part: Part) -> list[Figure]:
    async with asyncio.timeout(LONGEST.total_seconds()):
        figures = await part.measure()
    strangers = [figure.name for figure in figures if not figure.name.startswith(f"{part.name}.")]
    if strangers:
        raise ValueError(f"figures of the part {part.name} must begin with '{part.name}.': {', '.join(strangers)}")
    return figures


def _verdict(figures: Sequence[Figure], broken: Sequence[str]) -> int:
    missed = [figure for figure in figures if figure.met is False]
    for figure in missed:
        _say(f"Goal missed: {figure.name} is {figure.value:.4g} {figure.unit}, and the goal is {figure.goal}.")
    if broken:
        _say(f"Not measured, see above: {', '.join(broken)}.")
    return MISSED if missed else BROKEN if broken else 0


def _machine() -> str:
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, load {load}, Python {platform.python_version()}, {platform.system()}"


def _say(sentence: str) -> None:
    """To standard error: standard output is for the table."""
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
