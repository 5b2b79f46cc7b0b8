"""A log that is written and rotated as hosts do it, what was written to it, and who takes what a source reads."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import shutil
from contextlib import aclosing
from pathlib import Path

from bot.hostlog.line import HostKey

HOST = HostKey("east/esx-01.example.net")


class Rotating:
    """`<name>.log` in a folder. `style` is how it is rotated."""

    def __init__(self, folder: Path, name: str = "vpxa", *, style: str = "esxi", kept: int = 8) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.name = name
        self.path = folder / f"{name}.log"
        self.written: list[str] = []
        self._style = style
        self._kept = kept
        self._count = itertools.count()
        self._half = ""

    def line(self) -> str:
        number = next(self._count)
        return f"2026-03-14T16:{number // 60000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}Z info {number} ü"

    def write(self, count: int = 1) -> list[str]:
        """Write whole lines."""
        self.finish()
        lines = [self.line() for _ in range(count)]
        self._append("".join(f"{line}\n" for line in lines))
        self.written += lines
        return lines

    def write_half(self) -> None:
        """Begin a line."""
        self.finish()
        line = self.line()
        middle = len(line) // 2
        self._append(line[:middle])
        self._half = line[middle:]
        self.written.append(line)

    def finish(self) -> None:
        """End the line that was begun."""
        if self._half:
            rest, self._half = self._half, ""
            self._append(f"{rest}\n")

    def rotate(self) -> None:
        """Put the file aside; nothing is written to the new one yet."""
        self.finish()
        if not self.path.exists():
            return
        match self._style:
            case "esxi":
                self._shift("{name}.{number}.gz", 0)
                plain = self.path.rename(self.folder / f"{self.name}.tmp")
                self._pack(plain, self.folder / f"{self.name}.0.gz")
                self.path.touch()
            case "logrotate":
                self._shift("{name}.log.{number}.gz", 2)
                newest = self.folder / f"{self.name}.log.1"
                if newest.exists():
                    self._pack(newest, self.folder / f"{self.name}.log.2.gz")
                self.path.rename(newest)
            case "copytruncate":
                self._shift("{name}.log.{number}", 1)
                shutil.copy2(self.path, self.folder / f"{self.name}.log.1")
                with self.path.open("r+b") as file:
                    file.truncate()

    def _shift(self, form: str, first: int) -> None:
        for number in range(first + self._kept - 1, first - 1, -1):
            old = self.folder / form.format(name=self.name, number=number)
            if old.exists():
                old.rename(self.folder / form.format(name=self.name, number=number + 1))
        (self.folder / form.format(name=self.name, number=first + self._kept)).unlink(missing_ok=True)

    def _pack(self, plain: Path, packed: Path) -> None:
        """As gzip does: both are there for a moment."""
        packed.write_bytes(gzip.compress(plain.read_bytes(), compresslevel=1))
        plain.unlink()

    def _append(self, text: str) -> None:
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(text)


class Taker:
    """Takes what a source reads of a log, and keeps the cursor with it as the intake does."""

    def __init__(self, source, *, log: str = "vpxa", host: HostKey = HOST, cursor: str = "") -> None:
        self.source = source
        self.host = host
        self.log = log
        self.cursor = cursor
        self.lines: list[str] = []
        self.gaps: list[str] = []
        self.batches = 0
        self._news = asyncio.Condition()
        self._task: asyncio.Task | None = None

    async def start(self) -> None:
        """Follow, and return when there is a first batch: from then on nothing may be missed."""
        before = self.batches
        self._task = asyncio.create_task(self._take())
        await self.until(lambda: self.batches > before)

    async def stop(self) -> None:
        """Break off wherever it is."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, true, within: float = 15) -> None:
        """Wait for something to be true of what was taken."""
        async with asyncio.timeout(within), self._news:
            while not true():
                if self._task and self._task.done():
                    self._task.result()
                await self._news.wait()

    async def until_lines(self, lines, within: float = 15) -> None:
        try:
            await self.until(lambda: len(self.lines) >= len(lines), within)
        except TimeoutError:
            assert self.lines == list(lines), self.gaps
            raise

    async def _take(self) -> None:
        async with aclosing(self.source.follow(self.host, self.log, cursor=self.cursor)) as batches:
            async for batch in batches:
                assert len(batch.lines) == batch.read
                self.lines += [line.text for line in batch.lines]
                self.cursor = batch.cursor
                self.gaps += [batch.gap] if batch.gap else []
                self.batches += 1
                async with self._news:
                    self._news.notify_all()
