"""vpxd.log of one vCenter: its ordinary work, and its tasks as they start and end, under the opIDs they came with."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.playground.esxi.host_log import HostLogs
from bot.playground.esxi.line_forms import Entry, Generation, vcenter_section_line, written
from bot.playground.esxi.ordinary import TASK_BEGINS, TASK_ENDS, TASK_FAILS, VCENTER_NOISE
from bot.playground.esxi.phrases import Phrase
from bot.playground.vcenter.tasks import Task


class Chronicle:
    """Writes and keeps the log. Tasks are looked for when the log is read or work is noted, never in between."""

    def __init__(self, version: str, *, seed: int, history: Callable[[], list[Task]]) -> None:
        self._version = version
        self._generation = Generation.of_vcenter(version)
        self._logs = HostLogs(version, keys=("vpxd",), section=vcenter_section_line)
        self._random = random.Random(f"{seed}/vpxd")
        self._history = history
        self._open: dict[str, Task] = {}
        self._seen: Task | None = None

    def read(self) -> list[str]:
        """Return the lines of the current file, up to this moment."""
        self._catch_up()
        return self._logs.lines("vpxd")

    def write_ordinary_work(self, at: datetime) -> None:
        """Write one piece of everyday work, after what has happened to tasks since the last."""
        self._catch_up()
        noise = self._random.choice(VCENTER_NOISE[self._generation])
        bits = self._random.getrandbits
        blanks = {"hex8": f"{bits(32):08x}", "hex8b": f"{bits(32):08x}", "small": str(self._random.randrange(10, 900))}
        self._write(noise.phrases, at=at, op_id=noise.op_id.format(**blanks), blanks=blanks)

    def _catch_up(self) -> None:
        for task in self._unseen():
            self._open[task.id] = task
            self._tell(TASK_BEGINS, task, at=task.queued)
        for task in [task for task in self._open.values() if task.completed]:
            del self._open[task.id]
            self._tell(TASK_FAILS if task.fault else TASK_ENDS, task, at=task.completed or task.queued)

    def _unseen(self) -> list[Task]:
        """Return the tasks that came since the last look, oldest first."""
        new: list[Task] = []
        for task in reversed(self._history()):
            if task is self._seen:
                break
            new.append(task)
        if new:
            self._seen = new[0]
        return new[::-1]

    def _tell(self, phrases: tuple[Phrase, ...], task: Task, *, at: datetime) -> None:
        call = f"vim.{task.entity.wire}.{task.method.removesuffix('_Task')}"
        fault = f"vim.fault.{task.fault.data.type}" if task.fault else ""
        blanks = {"task": task.id, "entity": task.entity.id, "call": call, "fault": fault}
        self._write(phrases, at=at, op_id=task.op_id, blanks=blanks)

    def _write(self, phrases: tuple[Phrase, ...], *, at: datetime, op_id: str, blanks: dict[str, str]) -> None:
        thread = self._random.randrange(1000, 99_999)
        blanks = {"session": "52bb5d24-2497-10d0-569c-3ec666d27030", **blanks}
        for phrase in phrases:
            entry = Entry(
                at=at + timedelta(milliseconds=phrase.after_ms),
                process="vpxd",
                level=phrase.level,
                component=phrase.component,
                op_id=op_id if phrase.suffix == "vpxa" else "",
                body=phrase.body.format(**blanks),
                thread=thread,
            )
            self._logs.append("vpxd", written(entry, self._version), at=entry.at)
