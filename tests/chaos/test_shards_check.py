"""What the part `shards` takes for two owners of one host, and what not."""

from __future__ import annotations

from tests.chaos.parts.shards import two_at_once

LEASE = 1.5


def looks(who, *moments):
    return [(moment, who) for moment in moments]


def test_a_sleeper_that_looked_once_may_own_the_host_soon_after():
    sleeper = looks("sleeper", 0.0, 0.2, 2.5) + looks("sleeper", 3.1, 3.3, 3.5)
    owner = looks("owner", 1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0)  # it is ended by SIGTERM then
    assert not two_at_once(sorted(sleeper + owner), LEASE)


def test_a_sleeper_that_goes_on_is_seen():
    sleeper = looks("sleeper", 0.0, 0.2, 2.5, 2.7, 2.9)
    owner = looks("owner", 1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0)
    assert two_at_once(sorted(sleeper + owner), LEASE)


def test_who_gets_back_what_it_handed_over_is_no_second_owner():
    first = looks("first", 0.0, 0.2, 1.0, 1.2, 1.4)
    assert not two_at_once(sorted(first + looks("newcomer", 0.3, 0.5, 0.7)), LEASE)


def test_two_side_by_side_are_seen():
    assert two_at_once(sorted(looks("one", 0.0, 0.2, 0.4) + looks("other", 0.1, 0.3, 0.5)), LEASE)
