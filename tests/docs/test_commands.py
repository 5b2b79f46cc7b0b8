"""Every command and option is in the pages, and no page or sentence names one that does not exist."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import click
import pytest

from bot.incidents.incident import ScopeKind
from handlers.slack import parse
from handlers.slack.parse import Empty, HoldLink, Migrate, MigrateMany, ReleaseLink, SendCanary
from handlers.slack.parse_alerts import VERBS, parse_alerts
from handlers.slack.parse_diagnose import parse_command

COMMAND_LINE = re.compile(r"(?<![/\w-])coldmigrate ([a-z][a-z-]*)")
SLASH = re.compile(r"/coldmigrate ([a-z]+)\b")


def options(command: click.Command) -> list[str]:
    return [
        option for parameter in command.params if not getattr(parameter, "hidden", False) for option in parameter.opts
    ]


def test_every_command_has_a_row_with_its_options_and_its_exit_codes(commands, pages):
    page = pages["docs/operating.md"]
    for name, command in commands.items():
        rows = [line for line in page.splitlines() if line.startswith("|") and f"`coldmigrate {name}" in line]
        assert rows, f"docs/operating.md has no row for coldmigrate {name}"
        missing = [option for option in options(command) if option.startswith("-") and option not in "".join(rows)]
        assert missing == [], f"coldmigrate {name}"
        if not isinstance(command, click.Group):
            assert re.search(rf"^\|[^|]*`{name}`", page, re.MULTILINE), f"exit codes of {name}"


def test_pages_name_no_command_that_does_not_exist(commands, pages):
    spoken = {"will", "itself", "migrate"}  # the last is said to the bot: @coldmigrate migrate
    for page, text in pages.items():
        named = {word for part in re.findall(r"`[^`]+`|^coldmigrate.*$", text, re.MULTILINE)
                 for word in COMMAND_LINE.findall(part)}  # fmt: skip
        assert named - set(commands) - spoken == set(), page


def test_sentences_name_no_command_that_does_not_exist(commands, root):
    """What people are told to type: every text of the code in backquotes, or given as an example."""
    wrong = []
    for path in [*root.glob("bot/**/*.py"), *root.glob("handlers/**/*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        told = [text for text in texts if text.startswith("coldmigrate ")]
        told += [part for text in texts for part in re.findall(r"`(coldmigrate [^`]+)`", text)]
        wrong += [f"{path.name}: {text}" for text in told if (m := COMMAND_LINE.match(text)) and m[1] not in commands]
    assert wrong == []


def test_every_verb_is_documented(pages):
    readme = pages["README.md"]
    assert [verb for verb in parse._VERBS if not re.search(rf"[` ,]{verb}\b", readme)] == []
    every = [*parse._VALUED, *parse._FLAGS]
    assert [option for option in every if f"`{option}" not in readme] == []


def test_every_slash_command_of_the_pages_is_understood(pages):
    for page, text in pages.items():
        for typed in re.findall(r"`/coldmigrate ([^`]+)`", text):
            line = re.sub("<job>|<batch>", "k3q7m2xa", typed.partition(",")[0]).replace("<vm> <site>", "web01 site2")
            request = parse.parse(line.replace(" <site>", " site1"))
            assert not isinstance(request, Empty), (page, typed)
            with_site = Migrate | MigrateMany | HoldLink | ReleaseLink | SendCanary
            assert ("site" in line) is isinstance(request, with_site), (page, typed)


def test_every_diagnosis_of_the_pages_is_understood(pages):
    typed = [(page, line) for page, text in pages.items() for line in re.findall(r"`/diagnose ([^`]+)`", text)]
    assert typed
    for page, line in typed:
        assert parse_command(line.replace("<vm, host, job, task or opID>", "web01")).name, (page, line)


def test_every_word_about_alerts_is_in_their_page_and_understood(pages):
    typed = [line for text in pages.values() for line in re.findall(r"`/nfcalerts ([^`]+)`", text)]
    for line in typed:
        parse_alerts(line.partition("`,")[0].replace("<host>", "esx-01").replace(" [reason]", ""))
    assert {line.split()[0] for line in typed} == set(VERBS)
    mutes = [parse_alerts(line).order.scope.kind for line in typed if line.startswith("mute ")]
    assert set(mutes) == set(ScopeKind)


@pytest.mark.parametrize("arguments", [[], ["jobs"], ["jobs", "show"]], ids=" ".join)
def test_help_is_a_page_and_no_error(arguments):
    told = subprocess.run(
        [sys.executable, "-m", "bot", *arguments, "--help"], capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("Usage: coldmigrate")
    assert told.stderr == ""
