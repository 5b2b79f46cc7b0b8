"""The pages, and the command line as click knows it."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from bot.cli.commands import cli

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def pages() -> dict[str, str]:
    """Every page for people, by its path below the root."""
    found = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in found}


@pytest.fixture(scope="session")
def commands() -> dict[str, click.Command]:
    """`jobs list` and so on, each with its command; groups too."""

    def walk(command: click.Command, name: str) -> dict[str, click.Command]:
        found = {name: command} if name else {}
        if isinstance(command, click.Group):
            context = click.Context(command)
            for word in command.list_commands(context):
                inner = command.get_command(context, word)
                assert inner is not None
                found |= walk(inner, f"{name} {word}".strip())
        return found

    return walk(cli, "")


@pytest.fixture(scope="session")
def shell_lines(pages):
    """Every line of every `sh` block of a page, without its comment."""

    def lines(page: str) -> list[str]:
        blocks = [text for language, text in FENCE.findall(pages[page]) if language == "sh"]
        every = [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]
        return [line for line in every if line and not line.startswith("#")]

    return lines
