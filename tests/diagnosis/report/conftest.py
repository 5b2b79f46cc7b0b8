"""Reports to write down: the seed, two ends, hostile ones, and as many incidents as somebody wants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.causes import Basis, Cause, Role, Stage
from bot.diagnosis.verdict import (
    Alternative,
    Evidence,
    Incident,
    MatchKind,
    NextCheck,
    Report,
    Stats,
    Trouble,
    Workaround,
)

NIGHT = datetime(2023, 8, 8, 1, 42, 3, tzinfo=UTC)
HOSTILE = (
    "</text></svg></style><script>window.pwned=1</script><img src=x onerror=alert(1)>"
    " ``` ~~~ \x1b[2J \u202egnp.exe $x^2$ @everyone <!channel> [a](javascript:alert(1)) | {{ 7*7 }} &amp; 'q' \"q\""
)


@pytest.fixture(scope="session")
def line():
    """Make one line of evidence."""

    def make(text="a line", role=Role.SYMPTOM, *, seconds=0.0, file="vpxa.log", number=1, host=None, timed=True):
        moment = NIGHT + timedelta(seconds=seconds) if timed else None
        return Evidence(file, number, text, role, moment, host)

    return make


@pytest.fixture(scope="session")
def incident(line):
    """Make an incident; keywords replace what is usual."""

    def make(**changes):
        usual = Incident(
            id="0123456789ab",
            cause=Cause.PACKET_LOSS,
            confidence=0.6,
            basis=Basis.LOG,
            stage=Stage.DATA,
            first=NIGHT,
            last=NIGHT + timedelta(seconds=2),
            op_ids=("C65743A5-0000024D",),
            match=MatchKind.EXACT,
            task="task-10646",
            vm="web01",
            hosts=("esx-01",),
            peer="10.2.0.9",
            lines=3,
            evidence=(
                line("first", number=1),
                line("sent only -1 bytes", Role.DECISIVE, seconds=0.4, number=2),
                line("goodbye", Role.UNWINDING, seconds=1.5, number=9),
            ),
            explanation="The connection broke. Fix the network first.",
            known=("It was open.",),
            ruled_out=("A blocked port.",),
            unreadable=("The other host's log.",),
            next_checks=(NextCheck("Count lost packets.", "vmkping -I vmk1 10.2.0.9", "source host"),),
            links=("https://knowledge.broadcom.com/external/article/340170",),
            alternatives=(Alternative(Cause.DEST_FULL, 0.1),),
            workarounds=(
                Workaround(
                    id="ssh-gzip",
                    title="Copy over SSH",
                    steps=("Keep web01 off.",),
                    commands=("ssh root@esx-01 'gzip -c a' | ssh root@esx-11 'gunzip -c > a'",),
                    caveat="Thin disks land at full size.",
                    executable=True,
                ),
            ),
        )
        return replace(usual, **changes)

    return make


@pytest.fixture(scope="session")
def report():
    """Make a report of incidents."""

    def make(*incidents, errors=(), gaps=(), unparsed=0):
        stats = Stats(files=2, bytes=1_500_000, lines=12_345, unparsed_lines=unparsed, seconds=0.25)
        return Report(stats=stats, errors=tuple(errors), gaps=tuple(gaps), incidents=tuple(incidents))

    return make


@pytest.fixture(scope="session")
def hostile(incident, line, report):
    """Every text that comes from outside tries something."""
    evil = incident(
        op_ids=(HOSTILE,),
        vm=HOSTILE,
        hosts=(HOSTILE,),
        peer=HOSTILE,
        task=HOSTILE,
        evidence=(line(HOSTILE, Role.DECISIVE, file=f"/x/{HOSTILE}.log", host=HOSTILE), line(HOSTILE, seconds=1)),
        explanation=HOSTILE,
        known=(HOSTILE,),
        next_checks=(NextCheck(HOSTILE, HOSTILE, HOSTILE),),
        links=("javascript:alert(1)", HOSTILE),
        workarounds=(
            Workaround(id="x", title=HOSTILE, steps=(HOSTILE,), commands=(HOSTILE,), caveat=HOSTILE, executable=False),
        ),
    )
    return report(evil, evil, errors=[Trouble(HOSTILE, HOSTILE)], gaps=[Trouble(HOSTILE, HOSTILE)])


@pytest.fixture(scope="session")
def flood(incident, line, report):
    """Make a report of very many incidents of three causes, a minute apart."""

    def make(number):
        causes = (Cause.PACKET_LOSS, Cause.DEST_FULL, Cause.UNDETERMINED)
        sure = {Cause.PACKET_LOSS: 0.6, Cause.DEST_FULL: 0.9, Cause.UNDETERMINED: 0.0}
        made = []
        for place in range(number):
            cause = causes[0 if place % 10 < 7 else 1 if place % 10 < 9 else 2]
            role = Role.SYMPTOM if cause is Cause.UNDETERMINED else Role.DECISIVE
            seen = line(f"failure {place}", role, seconds=60 * place, number=place + 1)
            made.append(
                incident(
                    id=f"{place:012x}",
                    cause=cause,
                    confidence=sure[cause],
                    op_ids=(f"AAAA0000-{place:08X}",),
                    first=seen.moment,
                    last=seen.moment,
                    evidence=(seen,),
                    lines=1,
                )
            )
        return report(*made)

    return make
