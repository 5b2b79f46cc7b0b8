"""A report for a ticket, in the Markdown that GitHub, GitLab and Jira share: headings, lists, tables, fences.

Log lines and commands stand in fences that nothing inside can close; all other text of strangers is escaped, so that it
neither formats nor links nor calls anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from bot.diagnosis.causes import Role
from bot.diagnosis.printable import printable
from bot.diagnosis.report import phrases
from bot.diagnosis.verdict import Incident, NextCheck, Report, Workaround

MOST_LINES = 20
MOST_ROWS = 50
_SPECIAL = re.compile(r"[\\`*_\[\]|~#$]")
_LIST_OR_RULE = re.compile(r"^(\s*)([-+=]|\d+[.)])")
_SAFE_LINK = re.compile(r"https?://[^\s<>\"'`\\|]+")
_MARK = {Role.DECISIVE: ">>", Role.SYMPTOM: " >", Role.UNWINDING: " .", Role.CONTEXT: "  "}
_CALLS_NOBODY = "@\u2060"  # a word joiner, which no reader sees


def markdown_of(report: Report) -> str:
    """Return the report; of several incidents the first in full and the others as a table."""
    return "\n".join(_document(report)).rstrip("\n") + "\n"


def _document(report: Report) -> Iterator[str]:
    order = phrases.ranked(report.incidents)
    if order:
        yield from _incident(order[0])
        yield from _others(order)
    else:
        yield from ("# No incidents", "")
    yield from ("## What was read", "", escaped(phrases.summary(report)), "")
    remarks = [
        *(f"Could not be read: {phrases.trouble_in_words(trouble)}" for trouble in report.errors),
        *map(phrases.trouble_in_words, report.gaps),
        *phrases.remarks(report),
    ]
    yield from _bullets(remarks[:MOST_ROWS])


def _incident(incident: Incident) -> Iterator[str]:
    yield from (f"# {escaped(f'{incident.cause}: {phrases.cause_in_words(incident.cause)}')}", "")
    yield from (f"**{escaped(phrases.how_sure(incident))}**", "")
    yield from (escaped(", ".join(phrases.subject(incident))), "")
    yield from (escaped(incident.explanation), "")
    yield from ("## Lines", "")
    yield from _fence(_lines(incident), "text")
    yield from _section("Known", incident.known)
    yield from _section("Ruled out", incident.ruled_out)
    yield from _section("Not readable", incident.unreadable)
    others = (f"{phrases.cause_in_words(a.cause)} ({phrases.percent(a.confidence)})" for a in incident.alternatives)
    yield from _section("Also possible", others)
    for title, told in phrases.extras(incident):
        yield from _section(title, told)
    yield from _checks(incident.next_checks)
    for number, workaround in enumerate(incident.workarounds, 1):
        yield from _workaround(number, workaround)
    if incident.links:
        yield from ("## Read more", "", *(f"- {_link(link)}" for link in incident.links), "")


def _lines(incident: Incident) -> Iterator[str]:
    """Yield the log lines under the names of their files; `>>` decides, `.` only follows from it."""
    shown, hidden = phrases.excerpt(incident, MOST_LINES)
    for file, lines in groupby(shown, key=lambda line: line.file):
        yield printable(file)
        yield from (f"{_MARK[line.role]} {line.line}: {printable(line.text)}" for line in lines)
    if hidden:
        yield f"({phrases.count(hidden, 'more line')})"


def _checks(checks: Sequence[NextCheck]) -> Iterator[str]:
    if checks:
        yield from ("## Check next", "")
    for number, check in enumerate(checks, 1):
        where = f" ({check.where})" if check.where else ""
        yield from (f"{number}. {escaped(check.what + where)}", "")
        yield from _fence([printable(check.command)] if check.command else [], "sh")


def _workaround(number: int, workaround: Workaround) -> Iterator[str]:
    yield from (f"## Way {number}: {escaped(workaround.title)}", "")
    yield from (f"{place}. {escaped(step)}" for place, step in enumerate(workaround.steps, 1))
    yield ""
    yield from _fence(map(printable, workaround.commands), "sh")
    if workaround.caveat:
        yield from (f"**Mind:** {escaped(workaround.caveat)}", "")


def _others(order: Sequence[Incident]) -> Iterator[str]:
    if len(order) == 1:
        return
    yield from (f"## All {phrases.count(len(order), 'incident')}", "")
    yield from ("| # | first seen (UTC) | cause | sure | lines | which |", "|---|---|---|---|---|---|")
    for number, incident in enumerate(order[:MOST_ROWS], 1):
        when = f"{incident.first:%Y-%m-%d %H:%M:%S}" if incident.first else "unknown"
        sure = phrases.percent(incident.confidence) if incident.confidence else ""
        name = escaped(phrases.name_of(incident))
        yield f"| {number} | {when} | {escaped(incident.cause)} | {sure} | {incident.lines} | {name} |"
    yield ""
    if len(order) > MOST_ROWS:
        yield from (f"{phrases.grouped(len(order) - MOST_ROWS)} more are in the JSON and in the HTML report.", "")


def _section(title: str, sentences: Iterable[str]) -> Iterator[str]:
    listed = list(sentences)
    if listed:
        yield from (f"## {escaped(title)}", "")
        yield from _bullets(listed)


def _bullets(sentences: Iterable[str]) -> Iterator[str]:
    listed = [f"- {escaped(sentence)}" for sentence in sentences]
    yield from (*listed, "") if listed else ()


def _fence(content: Iterable[str], language: str) -> Iterator[str]:
    """Yield a fence longer than any run of backquotes in it, so that no line can close it."""
    lines = list(content)
    if not lines:
        return
    runs = (len(run) for line in lines for run in re.findall(r"`+", line))
    fence = "`" * max(3, 1 + max(runs, default=0))
    yield from (f"{fence}{language}", *lines, fence, "")


def _link(text: str) -> str:
    return f"<{text}>" if _SAFE_LINK.fullmatch(text) else escaped(text)


def escaped(text: str) -> str:
    """Return one line of text that Markdown shows as it is."""
    safe = printable(text).replace("\t", " ").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = _SPECIAL.sub(lambda sign: "\\" + sign[0], safe).replace("@", _CALLS_NOBODY)
    safe = safe.replace("://", "\\://").replace("www.", "www\\.")
    return _LIST_OR_RULE.sub(lambda start: f"{start[1]}{start[2][:-1]}\\{start[2][-1]}", safe)
