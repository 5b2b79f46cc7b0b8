"""Three engines find the same lines, whichever of them a machine and the size of a log call for."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.diagnosis.engine import load_engine
from bot.diagnosis.needles import PLAIN_UP_TO, RE2_UP_TO, Needles

# Few letters, so that needles overlap, contain each other and nearly fit.
WORDS = st.text("abC[]", min_size=1, max_size=5)
PIECES = st.one_of(
    WORDS, st.text("abC[]\n \0é", max_size=20), st.binary(max_size=6).map(lambda raw: raw.decode("latin-1"))
)
FINDERS = ("plain_finder", "re2_finder", "block_finder", "finder")


def lines_of(places: list[int], data: bytes) -> list[int]:
    """The numbers of the lines in which something was found, and that the promises about offsets are kept."""
    assert places == sorted(places)
    return sorted({data.count(b"\n", 0, place) for place in places})


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=8), st.lists(PIECES, max_size=20), st.integers(0, 9), st.integers(0, 9))
def test_all_engines_find_the_lines_that_hold_a_needle(words, pieces, before, behind):
    sought = Needles(words)
    data = "".join(pieces).encode()
    around = b"\n".join([*sought.literals, b""])  # must not be looked at
    buffer = bytearray(around * before + data + around * behind)
    start = len(around) * before
    truth = [number for number, line in enumerate(data.split(b"\n")) if any(word in line for word in sought.literals)]
    for name in FINDERS:
        found = getattr(sought, name)()(buffer, start, start + len(data))
        assert lines_of([place - start for place in found], data) == truth, name
    assert [number for number, line in enumerate(data.split(b"\n")) if sought.held_by(line)] == truth


def test_a_growing_log_changes_engines_and_keeps_its_hits():
    sought = Needles(["needle", "[NFC ERROR]"])
    find = sought.finder()
    block = bytearray(b"hay\n" * 2000 + b"a needle\n" + b"hay [nfc error]\n" * 300)
    expected = [block.index(b"\n", 7999)]
    for _ in range(2 * RE2_UP_TO // len(block)):
        found = find(block, 0, len(block))
        assert [block.index(b"\n", place) for place in found] == [8008], expected
    assert sought.prepared
    assert len(block) < PLAIN_UP_TO


def test_letter_case_counts():
    assert not Needles(["[NFC ERROR]"]).held_by(b"[nfc error]")


@pytest.mark.parametrize("bad", ["", "two\nlines"])
def test_what_no_line_could_hold_is_refused(bad):
    with pytest.raises(ValueError, match="not a needle"):
        Needles(["fine", bad])


def test_no_needles_find_nothing():
    nothing = Needles([])
    assert nothing.finder()(bytearray(b"x\n" * 40_000), 0, 80_000) == []
    assert nothing.block_finder()(bytearray(b"x\n"), 0, 2) == []
    assert not nothing.held_by(b"x")


def test_they_travel_to_another_process_unprepared():
    sought = Needles(["a needle", "é"])
    sought.prepare()
    arrived = pickle.loads(pickle.dumps(sought))  # noqa: S301 - our own
    assert (arrived.literals, arrived.prepared) == (sought.literals, False)


def test_the_whole_catalogue_is_found_by_every_engine():
    literals = load_engine().catalogue.needles.literals
    sought = Needles(literal.decode() for literal in literals)
    buffer = bytearray(b"".join(b"before " + literal + b" behind\nnothing\n" for literal in literals))
    for name in FINDERS[:3]:
        found = getattr(sought, name)()(buffer, 0, len(buffer))
        assert lines_of(found, buffer) == list(range(0, 2 * len(literals), 2)), name


def test_a_database_of_another_machine_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    Needles(["needle"], kept_as=tmp_path / "needles").prepare()
    (file,) = (tmp_path / "__pycache__").iterdir()
    file.write_bytes(file.read_bytes().replace(b"needle", b"nEEdle"))  # its checksum is wrong now
    assert Needles(["needle"], kept_as=tmp_path / "needles").block_finder()(bytearray(b"a needle\n"), 0, 9) != []
