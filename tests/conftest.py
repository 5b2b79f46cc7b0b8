"""Fixtures that every room may use."""

pytest_plugins = [
    "tests.fixtures_judgement",
    "tests.fixtures_rubbish",
    "tests.fixtures_slack",
    "tests.fixtures_sshd",
    "tests.fixtures_valkey",
]
