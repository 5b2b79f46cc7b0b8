"""Imports run one way, and the contracts that say so can fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

LINT = Path(sys.executable).with_name("lint-imports")

# Contract id: a file that breaks it, and what stands in that file.
PLANTED = {
    "floors": ("bot/errors.py", "import bot.store\n"),
    "exhaustive": ("bot/attic/__init__.py", ""),
    "playground-is-a-stranger": ("bot/playground/planted.py", "import bot.jobs\n"),
    "nobody-knows-the-players": ("bot/operations/planted.py", "import bot.playground\n"),
    "settings-stay-on-top": ("bot/slack/planted.py", "import bot.settings\n"),
    "pure-rooms": ("bot/migration/planted.py", "import redis\n"),
    "one-room-imports-redis": ("bot/logs/planted.py", "import redis\n"),
    "one-room-imports-asyncssh": ("handlers/slack/planted.py", "import asyncssh\n"),
    "one-room-imports-pyvmomi": ("handlers/jobs/planted.py", "import pyVmomi\n"),
    "doors-not-machines": ("bot/operations/spoiled.py", "import bot.jobs.queue\n"),
}


def lint(folder):
    return subprocess.run([LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def contracts(root):
    """Contract id -> its name, as pyproject.toml has them."""
    tools = tomllib.loads((root / "pyproject.toml").read_text())["tool"]
    return {contract["id"]: contract["name"] for contract in tools["importlinter"]["contracts"]}


@pytest.fixture(scope="module")
def spoiled(root, tmp_path_factory):
    """What the linter says of a copy in which every contract is broken once."""
    copy = tmp_path_factory.mktemp("spoiled")
    shutil.copy(root / "pyproject.toml", copy)
    for package in ("bot", "handlers"):
        shutil.copytree(root / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in PLANTED.values():
        (copy / name).parent.mkdir(exist_ok=True)
        with (copy / name).open("a") as file:
            file.write(text)
    return lint(copy)


def test_no_room_imports_what_it_may_not(root):
    result = lint(root)
    assert result.returncode == 0, result.stdout


def test_every_contract_has_its_planted_offence(contracts):
    assert set(contracts) == set(PLANTED)


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_import_breaks_its_contract(contracts, spoiled, contract):
    assert spoiled.returncode != 0
    assert f"{contracts[contract]} BROKEN" in " ".join(spoiled.stdout.split())  # long names are wrapped
