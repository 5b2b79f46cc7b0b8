"""`make bench`: runs the parts one after the other, prints a table, writes build/bench.json.

A part is a module in `parts/` with a `NAME` and a coroutine function `measure` that returns its figures. Nothing here
knows what is measured. Exit 0: all goals met; 1: a goal was missed; 2: something could not be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.bench.figures import Figure, save, table
from tests.part_runner import BROKEN, TERMINATED, choose, exit_code, machine, modules_in, run_all, say

HERE: Final = Path(__file__).resolve().parent
FILE: Final = HERE.parents[1] / "build" / "bench.json"
LONGEST: Final = timedelta(minutes=5)
"""A part that takes longer is a defect of the part."""

MISSED: Final = 1


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    measure: Callable[[], Awaitable[list[Figure]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; 1 means a missed goal and nothing else."""
    return exit_code(lambda: _bench(_options(arguments)))


def _bench(options: argparse.Namespace) -> int:
    parts = [Part(module.NAME, module.measure) for module in modules_in(options.parts)]
    chosen = choose(parts, options.only)
    if chosen is None:
        return BROKEN
    try:
        figures, broken = asyncio.run(run_all(chosen, _one))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("Stopped; nothing was written.")
        return TERMINATED
    save(figures, options.file, keep_others_than=options.only or None)
    print(f"{machine()}\n\n{table(figures)}")
    return _verdict(figures, broken)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure.", epilog="make bench ONLY='ack queue'")
    parser.add_argument("only", nargs="*", metavar="PART", help="measure these parts and leave other rows as they are")
    parser.add_argument("--parts", type=Path, default=HERE / "parts", help="where the parts are")
    parser.add_argument("--file", type=Path, default=FILE, help="where the figures go")
    return parser.parse_args(arguments)


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
        say(f"Goal missed: {figure.name} is {figure.value:.4g} {figure.unit}, and the goal is {figure.goal}.")
    if broken:
        say(f"Not measured, see above: {', '.join(broken)}.")
    return MISSED if missed else BROKEN if broken else 0


if __name__ == "__main__":
    sys.exit(main())
