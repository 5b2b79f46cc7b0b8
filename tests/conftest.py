"""Fixtures that every room may use."""

pytest_plugins = ["tests.fixtures_judgement", "tests.fixtures_slack", "tests.fixtures_valkey"]
