"""The bar that shows how far a long reading is. Loaded only where somebody may look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bot.diagnosis.inputs.unit import units

if TYPE_CHECKING:
    from rich.progress import Progress

BIG = 64 * 1024 * 1024  # less is over before a bar is drawn


@contextmanager
def reading_bar(paths: Iterable[str], *, at_once: bool = False) -> Iterator[Callable[[int], None]]:
    """Give what is to be called with the bytes read so far; the bar appears when they are many, or `at_once`."""
    with ExitStack() as stack:
        yield _Bar(stack, _expected(paths), at_once=at_once).reached


def _expected(paths: Iterable[str]) -> int | None:
    """Return how many bytes there are to read; None where nobody can know, as for standard input."""
    sizes = [unit.size if unit.path else None for unit in units(paths)]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


class _Bar:
    """Draws nothing until it is worth it."""

    def __init__(self, stack: ExitStack, total: int | None, *, at_once: bool) -> None:
        self._stack = stack
        self._total = total
        self._drawn: Progress | None = None
        if at_once or (total is not None and total >= BIG):
            self._draw()

    def reached(self, done: int) -> None:
        if self._drawn is None and done >= BIG:
            self._draw()
        if self._drawn is not None:
            total = self._total if self._total is not None and done <= self._total else None
            self._drawn.update(self._drawn.task_ids[0], completed=done, total=total)

    def _draw(self) -> None:
        from rich import progress
        from rich.console import Console

        columns = (
            progress.TextColumn("Reading"),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
        )
        console = Console(stderr=True, force_terminal=True)
        self._drawn = self._stack.enter_context(progress.Progress(*columns, console=console, transient=True))
        self._drawn.add_task("reading", total=self._total)
