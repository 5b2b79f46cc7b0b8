"""A cursor loses nothing and repeats nothing, however a log grows, and notices when it is another file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hostlog.cursor import MARK_LENGTH, Cursor, Line, mark_of


class Log:
    """A log as a host keeps it: lines by number, a page at a time."""

    def __init__(self, lines=(), *, page=3):
        self.lines = list(lines)
        self.page = page

    def read(self, start):
        return len(self.lines), self.lines[start - 1 : start - 1 + self.page]


def read_on(log, cursor):
    """Read all there is; the lines, the new cursor, and how often a rotation was noticed."""
    found, rotations, more = [], 0, True
    while more:
        last, lines = log.read(cursor.start)
        taken = cursor.take(lines, last=last)
        cursor, more = taken.cursor, taken.more
        found += [line.text for line in taken.lines]
        rotations += taken.rotated
    return found, cursor, rotations


@given(batches=st.lists(st.integers(0, 9), max_size=8), page=st.integers(2, 5))
def test_a_growing_log_comes_once_and_in_order(batches, page):
    log, cursor, seen = Log(page=page), Cursor(), []
    for size in batches:
        log.lines += [f"line {len(log.lines) + n}" for n in range(size)]
        found, cursor, rotations = read_on(log, cursor)
        seen += found
        assert rotations == 0
    assert seen == log.lines


@given(before=st.integers(1, 9), after=st.integers(0, 20), page=st.integers(2, 5))
def test_a_rotation_is_noticed_even_if_the_new_file_is_longer(before, after, page):
    log = Log([f"old {n}" for n in range(before)], page=page)
    _, cursor, _ = read_on(log, Cursor())
    log.lines = [f"new {n}" for n in range(after)]
    found, cursor, rotations = read_on(log, cursor)
    assert (found, rotations) == (log.lines, 1)
    log.lines.append("newer")
    assert read_on(log, cursor)[0] == ["newer"]


def test_lines_have_the_numbers_of_the_file():
    taken = Cursor(4, "c").take(["c", "d", "e"], last=5)
    assert taken.lines == (Line(4, "d"), Line(5, "e"))
    assert (taken.cursor, taken.more) == (Cursor(6, "e"), False)
    assert Cursor(4, "c").take(["c", "d"], last=9).more


def test_a_line_that_was_half_written_comes_again_whole():
    log = Log(["one", "tw"])
    _, cursor, _ = read_on(log, Cursor())
    log.lines = ["one", "two", "three"]
    assert read_on(log, cursor)[::2] == (["two", "three"], 0)


def test_an_empty_last_line_may_be_one_that_is_being_written():
    log = Log(["one", ""])
    found, cursor, _ = read_on(log, Cursor())
    assert found == ["one"]
    log.lines = ["one", "two"]
    assert read_on(log, cursor)[::2] == (["two"], 0)


def test_empty_lines_in_between_are_lines():
    log = Log(["one", "", "", "", "two"], page=3)
    assert read_on(log, Cursor())[::2] == (["one", "", "", "", "two"], 0)


def test_a_long_line_is_known_again_by_its_beginning():
    long = "x" * (MARK_LENGTH + 100)
    assert len(mark_of(long)) == MARK_LENGTH
    log = Log([long])
    _, cursor, _ = read_on(log, Cursor())
    log.lines.append("next")
    assert read_on(log, cursor)[::2] == (["next"], 0)


@pytest.mark.parametrize("last", [0, 2])
def test_a_file_that_got_shorter_is_another_one(last):
    taken = Cursor(9, None).take([], last=last)
    assert (taken.rotated, taken.cursor, taken.more) == (True, Cursor(), True)


def test_an_empty_file_is_waited_for():
    taken = Cursor().take([], last=0)
    assert (taken.rotated, taken.cursor, taken.more) == (False, Cursor(), False)
    assert Cursor().start == 1


def test_a_mark_that_is_empty_is_compared_too():
    assert not Cursor(3, "").take(["", "next"], last=3).rotated
    assert Cursor(3, "").take(["other", "next"], last=3).rotated
