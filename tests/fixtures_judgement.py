"""Every message and view that a test's app sends to a simulated Slack is judged when the test ends.

Tests of the player itself send wrong ones on purpose and are left alone; others may say `@pytest.mark.unjudged`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.slack_referee.hearing import Hearing

HEARING = Hearing()
HEARING.begin()
OF_THE_PLAYER = "tests/playground/"


@pytest.fixture(autouse=True)
def _what_the_app_says_is_judged(request: pytest.FixtureRequest) -> Iterator[None]:
    HEARING.forget()
    yield
    if request.node.get_closest_marker("unjudged") or request.node.nodeid.startswith(OF_THE_PLAYER):
        return
    if faults := HEARING.verdict():
        pytest.fail("the app sent what Slack or our rules do not take:\n" + "\n".join(faults), pytrace=False)
