"""The referee itself, for its own smoke test."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "vcsim" / "vcsim.py"


@pytest.fixture(scope="session")
def referee():
    """Return the module that starts the simulator; the tests are no package, so it is loaded by its path."""
    if "vcsim" not in sys.modules:
        spec = importlib.util.spec_from_file_location("vcsim", SOURCE)
        module = importlib.util.module_from_spec(spec)
        sys.modules["vcsim"] = module
        spec.loader.exec_module(module)
    return sys.modules["vcsim"]


@pytest.fixture
def vcsim(referee):
    with referee.Vcsim() as running:
        yield running
