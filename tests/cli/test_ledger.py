"""Who is written down for what is done on the command line."""

from __future__ import annotations

import getpass
import os
import pwd

import pytest

from bot.cli.ledger import me


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)


def test_the_account_is_named(no_variables):
    assert me() == f"{pwd.getpwuid(os.getuid()).pw_name} (command line)"


def test_a_user_without_a_name_is_named_by_number(no_variables, monkeypatch):
    """As in the image: the user 10001 stands in no list of users there, and whatever runs it names none."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises((KeyError, OSError)):
        getpass.getuser()
    assert me() == f"uid {os.getuid()} (command line)"


def test_who_says_who_they_are_is_named_so(no_variables, monkeypatch):
    monkeypatch.setenv("LOGNAME", "alice")
    assert me() == "alice (command line)"
