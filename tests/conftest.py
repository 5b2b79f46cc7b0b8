"""Fixtures that every room may use, and the order in which files are run."""

from __future__ import annotations

from zlib import crc32

import pytest

pytest_plugins = [
    "tests.fixtures_judgement",
    "tests.fixtures_rubbish",
    "tests.fixtures_slack",
    "tests.fixtures_sshd",
    "tests.fixtures_valkey",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files mixed, always in the same way: those that wait beside those that compute, so that processors are used."""
    items.sort(key=lambda item: crc32(item.nodeid.partition("::")[0].encode()))
