"""What can be typed after /nfcalerts, and what each mistake is told."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.incidents.incident import Scope, ScopeKind
from bot.operations.port import MuteOrder
from handlers.slack.parse_alerts import (
    AlertsHelp,
    AlertsHere,
    AlertsOff,
    AlertsStatus,
    ListAlerts,
    MuteIt,
    UnmuteIt,
    parse_alerts,
)

HOUR = timedelta(hours=1)


def mute(kind: str, name: str = "", span: timedelta | None = 2 * HOUR, why: str = "") -> MuteIt:
    return MuteIt(MuteOrder(scope=Scope(ScopeKind(kind), name), span=span, why=why))


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("", AlertsHelp()),
        ("  Help me ", AlertsHelp()),
        ("here", AlertsHere()),
        ("OFF", AlertsOff()),
        ("list", ListAlerts()),
        ("status", AlertsStatus()),
        ("mute esx-01 2h", mute("host", "esx-01")),
        ("mute host esx-01 for 2 hours", mute("host", "esx-01")),
        ("mute <http://esx-01.example.net|esx-01.example.net> 2h", mute("host", "esx-01.example.net")),
        ("mute link site1 site2 1d12h not «ours»", mute("link", "site1~site2", 36 * HOUR, "not ours")),
        ("mute vm “my vm” 90m", mute("vm", "my vm", 1.5 * HOUR)),
        ('mute vm "2h" 2h', mute("vm", "2h")),
        ('mute "all" 2h', mute("host", "all")),
        ("mute cause packet loss 7d", mute("cause", "packet loss", timedelta(days=7))),
        ("mute client backup 1w", mute("client", "backup", timedelta(days=7))),
        ("mute all until tomorrow quiet please", mute("all", "", None, "quiet please")),
        ("mute incident k3q7m2xa morning", mute("incident", "k3q7m2xa", None)),
        ("unmute esx-01", UnmuteIt(Scope(ScopeKind.HOST, "esx-01"))),
        ("unmute link site1 site2", UnmuteIt(Scope(ScopeKind.LINK, "site1~site2"))),
        ("unmute all", UnmuteIt(Scope(ScopeKind.ALL))),
    ],
)
def test_what_can_be_typed(text, request_):
    assert parse_alerts(text) == request_


@pytest.mark.parametrize(
    ("text", "said", "example"),
    [
        ("lst", "Did you mean 'list'", "/nfcalerts list"),
        ("mut esx-01 2h", "Did you mean 'mute'", "/nfcalerts mute esx-01 2h"),
        ("frobnicate", "There are: here", "/nfcalerts help"),
        ("list all", "takes nothing after it", "/nfcalerts list"),
        ("mute", "What shall be muted", "/nfcalerts mute esx-01 2h"),
        ("mute vm", "What shall be muted", "/nfcalerts mute vm web01 4h"),
        ("mute all", "For how long", "/nfcalerts mute all 2h"),
        ("mute esx-77", "For how long", "/nfcalerts mute esx-77 2h"),
        ('mute vm "my vm"', "For how long", '/nfcalerts mute vm "my vm" 2h'),
        ("mute 2h", "What shall be muted", "/nfcalerts mute esx-01 2h"),
        ("mute vm 2h", "What shall be muted", "/nfcalerts mute vm web01 4h"),
        ("mute my vm 2h", "One name", "/nfcalerts mute esx-01 2h"),
        ("mute lnk site1 site2 2h", "Did you mean 'link'", "/nfcalerts mute link site1 site2 2h"),
        ("mute link site1 2h", "two ends", "/nfcalerts mute link site1 site2 2h"),
        ("mute all esx-01 2h", "takes no name", "/nfcalerts mute all 1h"),
        ('mute vm "" 2h', "One name", "/nfcalerts mute vm web01 4h"),
        ("unmute esx-01 2h", "takes no time", "/nfcalerts unmute esx-01"),
        ("unmute", "What shall be muted", "/nfcalerts unmute esx-01"),
        ('mute vm "my vm 2h', "never closed", '/nfcalerts mute vm "my vm" 2h'),
        (f"mute {'x' * 300} 2h", "too long", ""),
    ],
)
def test_mistakes_are_told_with_what_would_have_worked(text, said, example):
    with pytest.raises(UserError, match=said) as told:
        parse_alerts(text)
    assert told.value.example == example
    if example:
        parse_alerts(example.removeprefix("/nfcalerts "))


@given(st.text(max_size=80), st.sampled_from(["", "mute ", "unmute ", "mute vm ", "mute link "]))
def test_whatever_is_typed_gets_an_answer(text, verb):
    with suppress(UserError):
        assert parse_alerts(f"{verb}{text}")
