"""The walk-through of docs/extending.md, walked."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def diagnose(tmp_path, pages):
    """`coldmigrate diagnose` in a folder that has the files of the page."""
    for name, text in FILE.findall(pages["docs/extending.md"]):
        (tmp_path / name).write_text(text, encoding="utf-8")

    def run(*arguments):
        command = [sys.executable, "-m", "bot", "diagnose", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_without_the_rule_nothing_is_found(diagnose):
    assert diagnose("wanacc.log").returncode == 0


def test_with_the_rule_it_says_what_the_page_says(diagnose, pages, shell_lines):
    (line,) = shell_lines("docs/extending.md")
    told = diagnose(*line.split()[2:])
    assert told.returncode == 1, told.stderr
    (shown,) = re.findall(r"it begins:\n\n```text\n(.*?)```", pages["docs/extending.md"], re.DOTALL)
    assert told.stdout.startswith(shown)


def test_a_mistake_in_it_is_told_with_file_and_key(diagnose, tmp_path):
    rule = tmp_path / "wan-accelerator.toml"
    rule.write_text(rule.read_text().replace('cause = "idle_timeout_reset"', 'cause = "the moon"'))
    told = diagnose("--rules", rule.name, "wanacc.log")
    assert told.returncode == 2
    assert "wan-accelerator.toml: cause" in told.stderr
