"""`make chaos`: runs the parts one after the other, prints one table, writes build/chaos.json.

A part is a module in `parts/` with a `NAME` and a coroutine function `run` that is given a stage and returns its rows.
Nothing here knows what is done. Exit 0: every promise held; 1: one was broken; 2: a part could not be carried out.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.chaos.rows import HungError, Row, merge, part_of, table
from tests.chaos.stage import Scale, Stage, stage
from tests.part_runner import BROKEN, TERMINATED, choose, exit_code, machine, modules_in, run_all, say

HERE: Final = Path(__file__).resolve().parent
PARTS: Final = HERE / "parts"
FILE: Final = HERE.parents[1] / "build" / "chaos.json"
LONGEST: Final = timedelta(minutes=5)
"""A part that takes longer is a defect of the part."""

BREACH: Final = 1


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    run: Callable[[Stage], Awaitable[list[Row]]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; 1 means a breach and nothing else."""
    return exit_code(lambda: _chaos(_options(arguments)))


def _chaos(options: argparse.Namespace) -> int:
    chosen = choose(parts_in(options.parts), options.only)
    if chosen is None:
        return BROKEN
    say(f"seed {options.seed}, {options.scale}; {machine()}")
    try:
        rows, broken = asyncio.run(run_all(chosen, lambda part: one(part, seed=options.seed, scale=options.scale)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("Stopped; nothing was written.")
        return TERMINATED
    merged = merge(rows, options.file, parts=[part.name for part in chosen], keep=bool(options.only))
    print(f"seed {options.seed}; {machine()}\n\n{table(merged)}")
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
    return [Part(module.NAME, module.run) for module in modules_in(folder)]


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
            say(f"BREACH in {row.name}: {breach}.")
    if broken:
        say(f"Not carried out, see above: {', '.join(broken)}.")
    again = dict.fromkeys([*(part_of(row.name) for row in breached), *broken])
    if again:
        say(f"Again with: make chaos ONLY='{' '.join(again)}' SEED={options.seed} SCALE={options.scale}")
    return BREACH if breached else BROKEN if broken else 0


if __name__ == "__main__":
    sys.exit(main())
