"""A report for somebody at a terminal at night: the cause first, commands on lines of their own, never a flood.

Yields lines with a tone; colours, and where the lines go, are the command's business. Every line is safe to print.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from itertools import groupby

from bot.diagnosis.causes import Role
from bot.diagnosis.printable import printable
from bot.diagnosis.records import dataclass
from bot.diagnosis.report import phrases
from bot.diagnosis.verdict import Evidence, Incident, NextCheck, Report, Trouble, Workaround

MOST_LINES = 8
MOST_SHORT = 4
MOST_ROWS = 15
MOST_TROUBLES = 20
_NARROWEST = 40
_LONGEST = 300  # of a line that does not decide, on a terminal
_LONGEST_DECISIVE = 1000
_MARK = {Role.DECISIVE: ">>", Role.SYMPTOM: " >", Role.UNWINDING: " .", Role.CONTEXT: "  "}


class Tone(Enum):
    """What a line is, so that a terminal may colour it."""

    PLAIN = auto()
    HEADLINE = auto()
    HEADING = auto()
    FAINT = auto()
    DECISIVE = auto()
    COMMAND = auto()
    WARNING = auto()
    ERROR = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line, printable as it is."""

    text: str
    tone: Tone = Tone.PLAIN


_EMPTY = Line("")


def lines_of(report: Report, *, width: int | None = None) -> Iterator[Line]:
    """Yield the report, wrapped to `width`; commands are never wrapped, and None wraps nothing."""
    wrap = _Wrap(width)
    order = phrases.ranked(report.incidents)
    if order:
        yield from _whole(order[0], f"1 of {len(order)}" if len(order) > 1 else "", wrap)
        yield from _others(order, wrap)
    yield from _troubles(report.errors, "Could not read", Tone.ERROR, wrap)
    yield from _troubles(report.gaps, "Note", Tone.WARNING, wrap)
    yield Line(phrases.summary(report), Tone.HEADING)
    for remark in phrases.remarks(report):
        yield from wrap(remark, tone=Tone.FAINT)


class _Wrap:
    """Cuts sentences into lines of one width."""

    def __init__(self, width: int | None) -> None:
        self.width = None if width is None else max(width, _NARROWEST)

    def __call__(self, text: str, first: str = "", rest: str | None = None, tone: Tone = Tone.PLAIN) -> Iterator[Line]:
        safe = printable(text)
        if self.width is None:
            yield Line(first + safe, tone)
            return
        import textwrap  # noqa: PLC0415 - a pipe needs none, and every millisecond of the start counts

        hanging = " " * len(first) if rest is None else rest
        wrapped = textwrap.wrap(
            safe, self.width, initial_indent=first, subsequent_indent=hanging, break_on_hyphens=False
        )
        yield from (Line(line, tone) for line in wrapped or [first])

    def cut(self, text: str, room: int) -> str:
        safe = printable(text)
        return safe if self.width is None or len(safe) <= room else safe[: max(room - 1, 1)] + "…"


def _whole(incident: Incident, place: str, wrap: _Wrap) -> Iterator[Line]:
    title = f"{incident.cause}: {phrases.cause_in_words(incident.cause)}"
    yield from wrap(f"Incident {place}: {title}" if place else title, rest="  ", tone=Tone.HEADLINE)
    yield from wrap(phrases.how_sure(incident), "  ")
    yield from wrap(", ".join(phrases.subject(incident)), "  ", tone=Tone.FAINT)
    yield _EMPTY
    yield from wrap(incident.explanation, "  ")
    yield from _evidence(incident, wrap)
    yield from _section("Known", incident.known, wrap)
    yield from _section("Ruled out", incident.ruled_out, wrap)
    yield from _section("Not readable from here", incident.unreadable, wrap)
    others = (f"{phrases.cause_in_words(a.cause)} ({phrases.percent(a.confidence)})" for a in incident.alternatives)
    yield from _section("Also possible", others, wrap)
    for title, told in phrases.extras(incident):
        yield from _section(title, told, wrap)
    yield from _checks(incident.next_checks, wrap)
    for number, workaround in enumerate(incident.workarounds, 1):
        yield from _workaround(number, workaround, wrap)
    yield from _section("Read more", incident.links, wrap)
    yield _EMPTY


def _evidence(incident: Incident, wrap: _Wrap) -> Iterator[Line]:
    """Yield the lines that tell most, the decisive ones marked, in the order in which they were written."""
    shown, hidden = phrases.excerpt(incident, MOST_LINES)
    yield from _heading("Lines (>> decides, . only follows from it)" if incident.decisive else "Lines")
    yield from _log_lines(shown, wrap)
    if hidden:
        more = phrases.count(hidden, "more line")
        yield from wrap(f"{more}: --format html or json shows them.", "    ", tone=Tone.FAINT)


def _log_lines(shown: Iterable[Evidence], wrap: _Wrap) -> Iterator[Line]:
    for file, lines in groupby(shown, key=lambda line: line.file):
        yield Line(f"    {printable(file)}", Tone.FAINT)
        for line in lines:
            decides = line.role is Role.DECISIVE
            text = wrap.cut(line.text, _LONGEST_DECISIVE if decides else _LONGEST)
            tone = Tone.DECISIVE if decides else Tone.PLAIN
            yield from wrap(text, f"    {_MARK[line.role]} {line.line}: ", " " * 9, tone)


def _heading(title: str) -> Iterator[Line]:
    yield _EMPTY
    yield Line(f"  {title}:", Tone.HEADING)


def _section(title: str, sentences: Iterable[str], wrap: _Wrap) -> Iterator[Line]:
    listed = list(sentences)
    if listed:
        yield from _heading(printable(title))
        for sentence in listed:
            yield from wrap(sentence, "    - ")


def _checks(checks: Sequence[NextCheck], wrap: _Wrap) -> Iterator[Line]:
    if checks:
        yield from _heading("Check next")
    for number, check in enumerate(checks, 1):
        where = f" ({check.where})" if check.where else ""
        yield from wrap(f"{check.what}{where}", f"    {number}. ")
        yield from _commands([check.command] if check.command else [])


def _workaround(number: int, workaround: Workaround, wrap: _Wrap) -> Iterator[Line]:
    yield _EMPTY
    yield from wrap(f"Way {number}: {workaround.title}", "  ", tone=Tone.HEADING)
    for step, sentence in enumerate(workaround.steps, 1):
        yield from wrap(sentence, f"    {step}. ")
    yield from _commands(workaround.commands)
    if workaround.caveat:
        yield from wrap(f"Mind: {workaround.caveat}", "    ", tone=Tone.WARNING)


def _commands(commands: Iterable[str]) -> Iterator[Line]:
    """Yield each command as one whole line without a prompt, so that it can be copied as it stands."""
    for command in commands:
        yield Line(f"       {printable(command)}", Tone.COMMAND)


def _others(order: Sequence[Incident], wrap: _Wrap) -> Iterator[Line]:
    """Yield the other incidents: a few in short, more as rows of a table, very many only as counts."""
    short = order[1 : 1 + MOST_SHORT]
    rest = order[1 + len(short) :]
    if rest:
        yield Line(f"All {phrases.count(len(order), 'incident')} by cause:", Tone.HEADING)
        for tally in phrases.tallies(order):
            when = phrases.span(tally.first, tally.last)
            yield Line(f"  {phrases.grouped(tally.incidents):>7}  {tally.cause:<20}  {when}".rstrip())
        yield _EMPTY
    for number, incident in enumerate(short, 2):
        yield from _short(incident, f"{number} of {len(order)}", wrap, told=incident.cause == order[0].cause)
    if rest:
        yield from _table(rest, len(short) + 2, wrap)


def _short(incident: Incident, place: str, wrap: _Wrap, *, told: bool) -> Iterator[Line]:
    sure = f", {phrases.percent(incident.confidence)} sure" if incident.confidence else ""
    words = f"{incident.cause}{sure}: {phrases.cause_in_words(incident.cause)}"
    yield from wrap(f"Incident {place}: {words}", rest="  ", tone=Tone.HEADLINE)
    yield from wrap(", ".join(phrases.subject(incident)), "  ", tone=Tone.FAINT)
    if not told:
        yield from wrap(incident.explanation, "  ")
    yield from _log_lines(phrases.weightiest(incident, 1), wrap)
    yield _EMPTY


def _table(rest: Sequence[Incident], start: int, wrap: _Wrap) -> Iterator[Line]:
    yield Line(f"  {'#':>5}  {'first seen (UTC)':<19}  {'cause':<20}  {'sure':>4}  {'lines':>6}  which", Tone.HEADING)
    for number, incident in enumerate(rest[:MOST_ROWS], start):
        when = f"{incident.first:%Y-%m-%d %H:%M:%S}" if incident.first else "at an unknown time"
        sure = phrases.percent(incident.confidence) if incident.confidence else "-"
        row = f"  {number:>5}  {when:<19}  {incident.cause:<20}  {sure:>4}  {incident.lines:>6}  "
        yield Line(row + wrap.cut(phrases.name_of(incident), (wrap.width or 0) - len(row)))
    if len(rest) > MOST_ROWS:
        more = phrases.grouped(len(rest) - MOST_ROWS)
        yield from wrap(f"and {more} more: --format json and html have all.", "  ", tone=Tone.FAINT)
    yield from wrap("One of them in full: --op-id with its opID, or --since and --until around it.", "  ")
    yield _EMPTY


def _troubles(troubles: Sequence[Trouble], title: str, tone: Tone, wrap: _Wrap) -> Iterator[Line]:
    for trouble in troubles[:MOST_TROUBLES]:
        joint = " " if tone is Tone.ERROR else ": "
        yield from wrap(f"{title}{joint}{phrases.trouble_in_words(trouble)}", rest="  ", tone=tone)
    if len(troubles) > MOST_TROUBLES:
        more = phrases.grouped(len(troubles) - MOST_TROUBLES)
        yield Line(f"{title}: {more} more, all of them in --format json.", tone)
