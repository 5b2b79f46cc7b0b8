"""Python's search for circles among dead objects, arranged for a process that keeps a gigabyte of living ones.

What collecting eight thousand tests makes, stays: it is not searched while it is made, nor ever after.
"""

from __future__ import annotations

import gc

import pytest

SELDOM = 10_000
"""Objects made before the youngest are searched; Python begins with 700."""


def pytest_configure() -> None:
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(SELDOM, *gc.get_threshold()[1:])
    gc.enable()
