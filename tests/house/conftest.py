"""The checkout as git knows it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def tracked(root):
    """Every file that git tracks and that is still there, as a path below root."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout.decode()
    return [Path(name) for name in listing.split("\0") if name and (root / name).is_file()]
