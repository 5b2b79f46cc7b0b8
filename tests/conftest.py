"""Fixtures that every room may use."""

pytest_plugins = ["tests.fixtures_valkey"]
