"""The referee, running."""

from __future__ import annotations

import pytest

from tests.vcsim.vcsim import Vcsim


@pytest.fixture
def vcsim():
    with Vcsim() as running:
        yield running
