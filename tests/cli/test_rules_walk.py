"""The walk-through of docs/writing-rules.md, walked: its files written and its commands run, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/writing-rules.md"
STEP = re.compile(
    r"<!-- file: (?P<file>\S+) -->\n```\w+\n(?P<content>.*?)^```$"
    r"|<!-- exit: (?P<exit>\d) -->\n```sh\n(?P<commands>.*?)^```$(?:\n\n```text\n(?P<shown>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Step:
    """One file to write, or some commands to run with what they must show."""

    file: str | None
    content: str | None
    exit: str | None
    commands: str | None
    shown: str | None


def steps():
    return [Step(**found.groupdict()) for found in STEP.finditer(PAGE.read_text(encoding="utf-8"))]


def walk(folder, todo):
    """Do the steps in order; raises where a command ends or speaks otherwise than the page says."""
    commands = folder.parent / "commands"
    commands.mkdir(exist_ok=True)
    (commands / "coldmigrate").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bot "$@"\n', encoding="utf-8")
    (commands / "coldmigrate").chmod(0o755)
    environment = {"PATH": f"{commands}:{os.defpath}", "PYTHONPATH": str(PAGE.parents[1]), "LC_ALL": "C.UTF-8"}
    for step in todo:
        if step.file:
            path = folder / step.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.content, encoding="utf-8")
            continue
        done = subprocess.run(
            ["sh", "-c", f"set -e\n{step.commands}"],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == int(step.exit), (step.commands, done.stdout, done.stderr)
        for line in (step.shown or "").splitlines():
            wanted = ".*".join(map(re.escape, line.strip().split("…")))
            assert re.search(wanted, done.stdout), (step.commands, line, done.stdout, done.stderr)


def test_the_page_holds_when_followed_to_the_letter(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    todo = steps()
    assert sum(bool(step.file) for step in todo) == 6
    assert sum(bool(step.commands) for step in todo) == 8
    walk(folder, todo)


def test_a_wrong_page_would_be_noticed(tmp_path):
    first = steps()[:3]
    first[-1].shown = "dest_full: the receiving storage is full\n"
    try:
        walk(tmp_path, first)
    except AssertionError:
        return
    raise AssertionError("a sentence that nobody said went unnoticed")
