"""`make chaos`: runs the parts one after the other, prints one table, writes build/chaos.json.

A part is a module in `parts/` with a `NAME` and a coroutine function `run` that is given a stage and returns its rows.
Nothing here knows what is done. Exit 0: every promise held; 1: one was broken; 2: a part could not be carried out.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import platform
import secrets
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from tests.chaos.rows import HungError, Row, merge, part_of, table
from tests.chaos.stage import Scale, Stage, stage

HERE: Final = Path(__file__).resolve().parent
PARTS: Final = HERE / "parts"
FILE: Final = HERE.parents[1] / "build" / "chaos.json"
LONGEST: Final = timedelta(minutes=5)
"""A part that takes longer is a defect of the part."""

BREACH, BROKEN, TERMINATED = 1, 2, 143


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    run: Callable[[Stage], Awaitable[list[Row]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; 1 means a breach and nothing else, so a defect of the frame itself is a 2."""
    try:
        return _chaos(_options(arguments))
    except Exception:  # noqa: BLE001 - Python would end with 1
        traceback.print_exc()
        return BROKEN


def _chaos(options: argparse.Namespace) -> int:
    parts = parts_in(options.parts)
    names = [part.name for part in parts]
    if unknown := set(options.only) - set(names):
        _say(f"There is no part {', '.join(sorted(unknown))}. Parts: {', '.join(names)}.")
        return BROKEN
    chosen = [part for part in parts if not options.only or part.name in options.only]
    _say(f"seed {options.seed}, {options.scale}; {_machine()}")
    try:
        rows, broken = asyncio.run(_all(chosen, options.seed, options.scale))
    except (KeyboardInterrupt, asyncio.CancelledError):
        _say("Stopped; nothing was written.")
        return TERMINATED
    merged = merge(rows, options.file, parts=[part.name for part in chosen], keep=bool(options.only))
    print(f"seed {options.seed}; {_machine()}\n\n{table(merged)}")
    return _verdict(rows, broken, options)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", epilog="make chaos ONLY='random points' SEED=7 SCALE=short")
    parser.add_argument("only", nargs="*", metavar="PART", help="run these parts and leave other rows as they are")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="what the dice begin with")
    parser.add_argument("--scale", type=Scale, default=Scale.FULL, choices=list(Scale))
    parser.add_argument("--parts", type=Path, default=PARTS, help="where the parts are")
    parser.add_argument("--file", type=Path, default=FILE, help="where the rows go")
    return parser.parse_args(arguments)


def parts_in(folder: Path) -> list[Part]:
    """Every part there is, in the order of its file's name."""
    return [_part(file) for file in sorted(folder.glob("*.py"))]


def _part(file: Path) -> Part:
    spec = importlib.util.spec_from_file_location(f"chaos_part_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return Part(module.NAME, module.run)


async def _all(parts: Sequence[Part], seed: int, scale: Scale) -> tuple[list[Row], list[str]]:
    """The rows, and the names of the parts that could not be carried out."""
    task = asyncio.current_task()
    assert task is not None
    # SIGTERM becomes a cancellation, so that every part ends its children.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    rows: list[Row] = []
    broken: list[str] = []
    for part in parts:
        started = monotonic()
        _say(f"{part.name}: begins; {_machine()}")
        try:
            rows += await one(part, seed=seed, scale=scale)
        except Exception:  # noqa: BLE001 - one part that breaks must not cost the others
            traceback.print_exc()
            broken.append(part.name)
        _say(f"{part.name}: took {monotonic() - started:.0f} s")
    return rows, broken


async def one(part: Part, *, seed: int, scale: Scale) -> list[Row]:
    """The rows of one part. What hung is a breach of its own."""
    try:
        async with asyncio.timeout(LONGEST.total_seconds()), stage(part.name, seed=seed, scale=scale) as given:
            rows = await part.run(given)
    except* HungError as hung:
        rows = [Row(name=part.name, did={}, breaches=[str(error) for error in _leaves(hung)])]
    if strangers := [row.name for row in rows if part_of(row.name) != part.name]:
        raise ValueError(f"rows of the part {part.name} must bear its name: {', '.join(strangers)}")
    return [replace(row, seed=seed, scale=scale) for row in rows]


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    inner = [_leaves(e) if isinstance(e, BaseExceptionGroup) else [e] for e in group.exceptions]
    return [error for errors in inner for error in errors]


def _verdict(rows: Sequence[Row], broken: Sequence[str], options: argparse.Namespace) -> int:
    breached = [row for row in rows if row.breaches]
    for row in breached:
        for breach in row.breaches:
            _say(f"BREACH in {row.name}: {breach}.")
    if broken:
        _say(f"Not carried out, see above: {', '.join(broken)}.")
    again = dict.fromkeys([*(part_of(row.name) for row in breached), *broken])
    if again:
        _say(f"Again with: make chaos ONLY='{' '.join(again)}' SEED={options.seed} SCALE={options.scale}")
    return BREACH if breached else BROKEN if broken else 0


def _machine() -> str:
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, load {load}, Python {platform.python_version()}, {platform.system()}"


def _say(sentence: str) -> None:
    """To standard error: standard output is for the table."""
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
