"""Whatever engine seeks the needles, the same lines are found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.diagnosis.engine import load_engine
from bot.diagnosis.needles import PLAIN_UP_TO, RE2_UP_TO, Needles

NEEDLES = Needles(["NfcNet", "[NFC ERROR]", "NfcNetTcpWrite", "sent only -1", "aaa", "aa"])
PIECES = st.sampled_from([*NEEDLES.literals, b"Nfc", b"a", b"\n", b"\xff", b"[NFC ", b"x" * 40])


def lines_with_hits(data, places, start):
    return {data.rfind(b"\n", start, place) for place in places}


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map(b"".join), st.integers(0, 9))
def test_all_engines_find_the_same_lines(text, start):
    data = bytearray(b"." * 9 + text + b"\n")
    wanted = {
        data.rfind(b"\n", start, place)
        for needle in NEEDLES.literals
        for place in range(start, len(data))
        if data[place : place + len(needle)] == needle
    }
    for finder in (NEEDLES.plain_finder(), NEEDLES.re2_finder(), NEEDLES.block_finder(), NEEDLES.finder()):
        places = finder(data, start, len(data))
        assert places == sorted(places)
        assert lines_with_hits(data, places, start) == wanted


def test_what_begins_small_may_become_big():
    needles = Needles(["needle"])
    find = needles.finder()
    block = bytearray(b"hay\n" * 50_000 + b"needle\n")
    assert len(block) > PLAIN_UP_TO
    seen = 0
    while seen <= RE2_UP_TO + len(block):
        (place,) = find(block, 0, len(block))
        assert block.rfind(b"\n", 0, place) == len(block) - len("needle\n") - 1
        seen += len(block)


def test_lines_without_a_needle_are_told_from_those_with_one():
    assert NEEDLES.held_by(b"x [NFC ERROR] y")
    assert not NEEDLES.held_by(b"x [nfc error] y")
    assert load_engine().is_candidate("NfcNet_Send: requested 262040, sent only -1 bytes")


@pytest.mark.parametrize("bad", ["", "two\nlines"])
def test_what_no_line_can_hold_is_refused(bad):
    with pytest.raises(ValueError, match="not a needle"):
        Needles([bad])
