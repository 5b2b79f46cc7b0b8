"""What the README tells people to type is run here, as far as a test can."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests import warm

SEED = (
    "[2012-03-14 16:31:45.288 1C69CB90 warning 'Libs' opID=C65743A5-0000024D-5c]"
    " [NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes\n"
)
NOT_HERE = {
    "git",
    "export",
    "pip",
    "cd",
}  # what a test cannot do; `make demo ARGS=--story` is tests/end_to_end/test_story.py


@pytest.fixture
def run(tmp_path):
    def command(*arguments: str, folder: Path = tmp_path):
        return subprocess.run(list(arguments), cwd=folder, capture_output=True, text=True, check=False, timeout=60)

    return command


def commands_of(lines: list[str]) -> list[list[str]]:
    return [shlex.split(part) for line in lines for part in line.split("&&")]


def coldmigrate(*arguments: str) -> list[str]:
    return [*warm.bot(), *arguments]


def test_every_line_is_of_a_known_kind(shell_lines, commands, root):
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in commands_of(shell_lines("README.md")):
        match words:
            case ["coldmigrate", name, *_]:
                assert name in commands, words
            case ["make", target, *_]:
                assert target in targets, words
            case [first, *_]:
                assert first in NOT_HERE, words


def test_diagnose_as_the_readme_says(run, shell_lines, tmp_path):
    (tmp_path / "vpxa.log").write_text(SEED)
    lines = [words[1:] for words in commands_of(shell_lines("README.md")) if words[:2] == ["coldmigrate", "diagnose"]]
    assert lines
    for words in lines:
        told = run(*coldmigrate(*(words[: words.index(">")] if ">" in words else words)))
        assert told.returncode == 1, told.stderr
        if "json" in words:
            assert json.loads(told.stdout)["incidents"][0]["cause"] == "packet_loss"
        else:
            assert "packet loss" in told.stdout


def test_init_as_the_readme_says(run, shell_lines, tmp_path):
    assert ["coldmigrate", "init"] in commands_of(shell_lines("README.md"))
    told = run(*coldmigrate("init"))
    assert told.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"coldmigrate.toml", "slack-manifest.json"}


def test_every_other_command_has_a_help(run, commands):
    for name in commands:
        told = run(*coldmigrate(*name.split(), "--help"))
        assert told.returncode == 0, told.stderr
        assert told.stdout.startswith(f"Usage: coldmigrate {name}")


@pytest.mark.parametrize("page", ["README.md", "docs/development.md"])
def test_make_targets_can_be_made(run, pages, page, root):
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", pages[page], re.MULTILINE))
    assert named
    for target in named:
        told = run("make", "-n", target, folder=root)
        assert told.returncode == 0, (target, told.stderr)


def test_the_threads_in_the_readme_are_those_that_the_story_plays(pages, root):
    """Its lines are those of the code: cards, verdicts and ways have not changed their words since."""
    found = re.findall(r"```text\n(.*?)```", pages["README.md"], re.DOTALL)
    thread, alert = (" ".join(one.split()) for one in found)
    for words in (
        "intact at its source",
        "A retry starts at 0 %.",
        "Probable cause: packet loss",
        "sent only -1 bytes",
    ):
        assert words in thread
    code = "\n".join(path.read_text(encoding="utf-8") for path in root.glob("bot/operations/*.py"))
    assert "is intact at its source" in code
    assert "Probable cause:" in code
    for words in ("a migration that I did not start", "nobody acknowledged within", "Whose copies", "On call"):
        assert words in alert
        assert words in code


def test_the_changelog_has_a_place_for_what_comes_next(pages):
    heads = re.findall(r"^## (.+)$", pages["CHANGELOG.md"], re.MULTILINE)
    assert heads[0] == "Unreleased"
