"""What somebody reads at a terminal at night."""

from __future__ import annotations

from bot.diagnosis.causes import Basis, Cause, Role, Session
from bot.diagnosis.report.text import MOST_ROWS, MOST_TROUBLES, Tone, lines_of
from bot.diagnosis.verdict import Number, Trouble


def text(report, width=None):
    return "\n".join(line.text for line in lines_of(report, width=width))


def test_the_order_is_that_of_a_bad_night(incident, report):
    told = text(report(incident()))
    parts = (
        "packet_loss: packet loss",
        "60% sure, from one log alone",
        "opID C65743A5-0000024D",
        "The connection broke.",
        ">> 2: sent only -1 bytes",
        "Known:",
        "Ruled out:",
        "Not readable from here:",
        "Also possible:",
        "Check next:",
        "Count lost packets. (source host)",
        "Way 1: Copy over SSH",
        "Mind: Thin disks",
        "Read more:",
        "1 incident in 2 files, 12 345 lines, 1.5 MB, 0.25 s.",
    )
    places = [told.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_commands_stand_alone_and_whole_however_narrow_the_terminal(incident, report):
    command = "ssh root@esx-01 'gzip -c a' | ssh root@esx-11 'gunzip -c > a'"
    lines = [line for line in lines_of(report(incident()), width=40) if line.tone is Tone.COMMAND]
    assert [line.text.strip() for line in lines] == ["vmkping -I vmk1 10.2.0.9", command]


def test_prose_is_wrapped_to_the_width(incident, report):
    long = incident(explanation="word " * 100, known=("thing " * 60,))
    lines = [line for line in lines_of(report(long), width=60) if line.tone is not Tone.COMMAND]
    assert max(len(line.text) for line in lines) <= 60
    assert any(len(line.text) > 300 for line in lines_of(report(long)))


def test_the_decisive_line_is_shown_even_behind_many_others(incident, line, report):
    evidence = (*(line(f"noise {n}", number=n) for n in range(1, 50)), line("this one", Role.DECISIVE, number=60))
    told = text(report(incident(evidence=evidence, lines=500)))
    assert ">> 60: this one" in told
    assert told.count("noise") == 7
    assert "492 more lines" in told


def test_an_undetermined_failure_is_not_dressed_up(incident, line, report):
    told = text(report(incident(cause=Cause.UNDETERMINED, confidence=0.0, evidence=(line("odd"),))))
    assert "Nobody can tell from these lines" in told
    assert "% sure" not in told
    assert ">>" not in told


def test_the_basis_is_named(incident, line, report):
    assert "from one log alone" in text(report(incident()))
    assert "from logs alone" in text(report(incident(evidence=(line(), line(file="hostd.log")))))
    assert "from the logs of both ends" in text(report(incident(basis=Basis.BOTH_ENDS)))
    assert "from a measurement" in text(report(incident(basis=Basis.MEASURED)))


def test_other_incidents_are_shorter(incident, report):
    told = text(report(incident(), incident(cause=Cause.DEST_FULL, confidence=0.9, op_ids=("BBBB0000-00000001",))))
    assert told.index("Incident 1 of 2: dest_full") < told.index("Incident 2 of 2: packet_loss")
    assert told.count("Check next:") == 1


def test_a_flood_is_a_bounded_page_with_counts(flood):
    report = flood(5000)
    lines = list(lines_of(report))
    assert len(lines) < 110
    told = "\n".join(line.text for line in lines)
    assert "All 5 000 incidents by cause:" in told
    for count, cause in (("3 500", "packet_loss"), ("1 000", "dest_full"), ("500", "undetermined")):
        assert any(line.text.split()[: len(count.split()) + 1] == [*count.split(), cause] for line in lines)
    assert f"and {5000 - 5 - MOST_ROWS:,} more".replace(",", " ") in told
    for number, cause in enumerate(("dest_full", "packet_loss", "undetermined"), 1):
        assert f"Incident {number} of 5000: {cause}" in told, "no cause hides behind another's flood"


def test_troubles_are_bounded_too(report):
    told = text(report(errors=[Trouble(f"{n}.log", "no such file") for n in range(500)]))
    assert told.count("Could not read") == MOST_TROUBLES + 1
    assert "480 more" in told


def test_nothing_found_is_one_line(report):
    assert text(report()) == "No incidents in 2 files, 12 345 lines, 1.5 MB, 0.25 s."


def test_lines_without_a_header_are_mentioned(report):
    assert "1 line had no header of a known format" in text(report(unparsed=1))


def test_hostile_text_steers_nothing(hostile):
    for width in (None, 40, 80):
        told = text(hostile, width)
        assert not set(told) & {"\x1b", "\u202e", "\x07"}
        assert r"\x1b[2J" in told.replace("\n", "") or width


def test_a_field_that_nobody_laid_out_is_shown(incident, report):
    told = text(report(incident(session=Session.BACKUP, numbers=(Number("393225", "no such device"),))))
    assert "Session:\n    - backup" in told
    assert "Numbers:\n    - 393225: no such device" in told
