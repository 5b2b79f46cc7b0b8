"""What stands after /diagnose: taken as it was meant, or refused with a sentence and an example."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import UserError
from handlers.slack.fetch import _asked
from handlers.slack.parse_diagnose import Asked, parse_command, parse_mention

H2 = timedelta(hours=2)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("web01", Asked("web01")),
        ("web01 --since 2h", Asked("web01", H2)),
        ("--since=2h web01", Asked("web01", H2)),
        ("web01 —since 2h", Asked("web01", H2)),
        ("web01 –since 120m", Asked("web01", H2)),  # noqa: RUF001 - phones make these
        ("“my vm” --SINCE 1h60min", Asked("my vm", H2)),
        ('"help"', Asked("help")),
        ("'--since'", Asked("--since")),
        ("task-10646", Asked("task-10646")),
        ("C65743A5-0000024D-7a", Asked("C65743A5-0000024D-7a")),
        ("<http://esx-01.example.net|esx-01.example.net> --since 1d", Asked("esx-01.example.net", timedelta(days=1))),
        ("web01 --since 1d2h3m4s", Asked("web01", timedelta(days=1, hours=2, minutes=3, seconds=4))),
    ],
)
def test_what_is_clear_is_taken(typed, asked):
    assert parse_command(typed) == asked


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "What shall I look into"),
        ("   ", "What shall I look into"),
        ("help", "What shall I look into"),
        ("--since 2h", "What shall I look into"),
        ("web01 db01", "One thing at a time"),
        ("my old vm --since 2h", "goes in quotes"),
        ("web01 --since", "needs a time"),
        ("web01 --since=", "needs a time"),
        ("web01 --since yesterday", "'yesterday' is no time"),
        ("web01 --since 2", "'2' is no time"),
        ("web01 --since -2h", "'-2h' is no time"),
        ("web01 --since 0m", "more than nothing"),
        ("web01 --since 32d", "at most 31d"),
        ("web01 --since 99999999999d", "is no time"),
        ("web01 --since 2h --since 3h", "given twice"),
        ("web01 --sinse 2h", "Did you mean --since?"),
        ("web01 --host esx-01", "There is no option --host"),
        ("web01 -v", "There is no option -v"),
        ('"web01', "never closed"),
        ('"  "', "is empty"),
        ("x" * 300, "300 characters"),
    ],
)
def test_what_is_not_clear_gets_a_sentence(typed, said):
    with pytest.raises(UserError, match=said.replace("?", r"\?")) as error:
        parse_command(typed)
    assert error.value.example.startswith("/diagnose ") or len(typed) == 300


def test_an_example_can_be_typed_as_it_is():
    with pytest.raises(UserError) as error:
        parse_command("my old vm")
    assert parse_command(error.value.example.removeprefix("/diagnose ")) == Asked("my old vm")


@pytest.mark.parametrize("typed", ["", "this", "this log please", "It!", "the thread, please"])
def test_in_a_thread_nothing_need_be_named(typed):
    assert _asked(typed) == Asked()


def test_in_a_thread_something_may_be_named():
    assert _asked("web01 —since 2h") == Asked("web01", H2)
    assert parse_mention("--since 2h") == Asked("", H2)
