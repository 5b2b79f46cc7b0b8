"""What a failed copy holds, each decision with a yes and a no beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.causes import Cause
from bot.migration import breaker
from bot.migration.breaker import Failure, Neighbour, Scope, decide, goes_well

AT = datetime(2026, 11, 23, 1, 43, tzinfo=UTC)
LOSS = Failure("db01", "packet_loss", 0.55, "data", "esx-01", "esx-11", AT)
UNKNOWN = replace(LOSS, cause="undetermined", confidence=0.2)
WELL = Neighbour("app01", "esx-02", "esx-12", well=True)
STUCK = replace(WELL, vm="app02", well=False)
YOUNG = replace(WELL, vm="app03", well=None)


def before(failure: Failure, minutes: float, **changes: object) -> Failure:
    return replace(failure, vm="web01", at=AT - timedelta(minutes=minutes), **changes)


def test_every_cause_of_the_catalogue_is_of_exactly_one_kind():
    kinds = (breaker.OF_THE_PATH, breaker.OF_THE_HOSTS, breaker.OF_ITSELF, {breaker.UNDETERMINED})
    assert sorted(cause for kind in kinds for cause in kind) == sorted(cause.value for cause in Cause)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_of_the_catalogue_has_words_that_people_use(cause):
    words = breaker.WORDS[cause]
    assert words != cause
    assert "_" not in words


def test_the_words_stand_in_the_sentence_of_the_hold():
    why = decide(replace(LOSS, cause="timeout_slow_link"), earlier=[before(replace(LOSS, cause="nat"), 5)]).why
    assert why == (
        "a timeout on a slow link ended the copy of db01, and address translation (NAT) on the way that of web01 "
        "5 minutes before"
    )
    assert decide(replace(LOSS, cause="packet_loss")).why.startswith("packet loss ended the copy of db01")


@pytest.mark.parametrize("cause", sorted(breaker.OF_ITSELF))
def test_what_is_not_of_the_wire_holds_nothing(cause):
    assert decide(replace(LOSS, cause=cause, confidence=0.9)).scope is Scope.NOTHING


@pytest.mark.parametrize("cause", sorted(breaker.OF_THE_PATH))
def test_what_is_of_the_path_holds_the_link(cause):
    assert decide(replace(LOSS, cause=cause)).scope is Scope.LINK


@pytest.mark.parametrize("cause", sorted(breaker.OF_THE_HOSTS))
def test_what_is_of_the_hosts_holds_these_two_even_when_nothing_else_runs(cause):
    assert decide(replace(LOSS, cause=cause)).scope is Scope.HOSTS


def test_a_failure_without_any_verdict_holds_nothing():
    assert decide(replace(LOSS, cause="", stage="", confidence=0)).scope is Scope.NOTHING


def test_neighbours_between_other_hosts_that_go_on_well_save_the_link():
    saved = decide(LOSS, neighbours=[WELL, STUCK])
    assert (saved.scope, saved.why) == (
        Scope.HOSTS,
        "packet loss ended the copy of db01, while between other hosts app01 went on well",
    )


@pytest.mark.parametrize(
    ("neighbours", "why"),
    [
        ([], "packet loss ended the copy of db01; nothing else ran that shows the link to be well"),
        ([YOUNG], "packet loss ended the copy of db01; nothing else ran that shows the link to be well"),
        ([STUCK, YOUNG], "packet loss ended the copy of db01; app02 did not go well either"),
    ],
)
def test_neighbours_that_show_nothing_good_do_not(neighbours, why):
    held = decide(LOSS, neighbours=neighbours)
    assert (held.scope, held.why) == (Scope.LINK, why)


def test_a_neighbour_between_the_same_hosts_says_nothing_of_others():
    assert decide(LOSS, neighbours=[replace(WELL, source="esx-11", target="esx-01")]).scope is Scope.LINK


def test_a_second_pair_of_hosts_soon_after_the_first_is_the_link():
    other = before(LOSS, 12, source="esx-02", target="esx-12")
    held = decide(LOSS, neighbours=[WELL], earlier=[other])
    assert held.scope is Scope.LINK
    assert "packet loss that of web01 12 minutes before" in held.why
    assert decide(LOSS, neighbours=[WELL], earlier=[before(LOSS, 12)]).scope is Scope.HOSTS  # the same pair again
    late = before(LOSS, 16, source="esx-02", target="esx-12")
    assert decide(LOSS, neighbours=[WELL], earlier=[late]).scope is Scope.HOSTS


def test_one_unexplained_death_holds_nothing_and_says_what_a_second_would_do():
    first = decide(UNKNOWN)
    assert first.scope is Scope.NOTHING
    assert "within 15 minutes holds the link" in first.why


@pytest.mark.parametrize("other", [before(UNKNOWN, 15), before(LOSS, 1), before(LOSS, 1, confidence=0.1)])
def test_a_second_one_within_fifteen_minutes_does(other):
    assert decide(UNKNOWN, earlier=[other]).scope is Scope.LINK


@pytest.mark.parametrize(
    "other",
    [
        before(UNKNOWN, 15.1),
        before(UNKNOWN, 5, stage="open"),
        before(UNKNOWN, 5, cause="dest_full"),
        before(UNKNOWN, -1),
    ],
)
def test_an_older_one_or_one_of_another_kind_does_not(other):
    assert decide(UNKNOWN, earlier=[other]).scope is Scope.NOTHING


def test_what_died_before_data_flowed_and_is_unexplained_holds_nothing():
    assert decide(replace(UNKNOWN, stage="connect"), earlier=[before(UNKNOWN, 5)]).scope is Scope.NOTHING


def test_a_guess_counts_as_unexplained():
    guess = replace(LOSS, confidence=0.29)
    assert decide(guess).scope is Scope.NOTHING
    assert decide(guess, earlier=[before(UNKNOWN, 5)]).scope is Scope.LINK
    assert decide(replace(LOSS, confidence=0.3)).scope is Scope.LINK


def test_many_neighbours_are_named_in_a_few_words():
    many = [replace(WELL, vm=f"vm{n}") for n in range(1, 6)]
    assert decide(LOSS, neighbours=many).why.endswith("vm1, vm2, vm3 and 2 more went on well")
    assert decide(LOSS, neighbours=many[:2]).why.endswith("vm1 and vm2 went on well")
    assert "less than a minute before" in decide(LOSS, earlier=[before(LOSS, 0.1)]).why
    assert "an unknown cause that of web01 1 minute before" in decide(UNKNOWN, earlier=[before(UNKNOWN, 1)]).why


@pytest.mark.parametrize(
    ("told", "well"),
    [
        ({}, True),
        ({"nfc_errors": 1}, False),
        ({"percent": 0}, None),
        ({"rate": None}, None),
        ({"rate": None, "quiet": timedelta(minutes=6)}, False),
        ({"quiet": timedelta(minutes=5)}, True),
        ({"quiet": timedelta(minutes=6)}, False),
        ({"quiet": timedelta(minutes=29), "size": 6000 * 2**30}, True),  # one percent takes ten minutes
        ({"quiet": timedelta(minutes=31), "size": 6000 * 2**30}, False),
    ],
)
def test_whether_a_copy_goes_well(told, well):
    sound = {"percent": 10, "rate": 2**30 / 10, "nfc_errors": 0, "size": 100 * 2**30, "quiet": timedelta(seconds=30)}
    assert goes_well(**{**sound, **told}) is well
