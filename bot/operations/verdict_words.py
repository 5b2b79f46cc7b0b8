"""A verdict in the words of a thread: the same for a migration that failed and for a question somebody asked. Pure.

Nothing is made safe here against what Slack would format: whoever draws a reply does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.diagnosis.causes import Basis, Cause
from bot.diagnosis.verdict import Evidence, Incident, MatchKind, Workaround
from bot.slack.port import Reply, Section

SHOWN_LINES: Final = 12
"""Evidence lines in a thread; all of them are in the report."""

_BASIS: Final = {
    Basis.LOG: "from the hosts' logs alone",
    Basis.BOTH_ENDS: "from the logs of both ends",
    Basis.MEASURED: "measured",
}


def headline(incident: Incident) -> str:
    """The cause in one line."""
    if incident.cause is Cause.UNDETERMINED:
        return "The logs show the failure, but do not say why."
    cause = incident.cause.value.replace("_", " ")
    return f"Probable cause: {cause} ({incident.confidence:.0%} sure, {_BASIS[incident.basis]})."


def match_words(incident: Incident, *, whose: str) -> str:
    """How the lines were joined to what was asked about: `whose` is "this migration's opID"."""
    if incident.match is MatchKind.EXACT:
        return f"The lines bear {whose}."
    return f"The lines do not bear {whose}; they fit by VM, task and time."


def verdict_reply(incident: Incident, *, matched: str = "", unread: Sequence[str] = (), more: str = "") -> Reply:
    """Why it failed, and what shows it. `more` is said of other incidents, if there are any."""
    sections = [
        Section("Why", f"{incident.explanation} {matched}".strip()),
        Section("The lines that show it", "", _lines(incident.evidence)),
        *listed("Known", incident.known),
        *listed("Ruled out", incident.ruled_out),
        *listed("Could not be read", [*incident.unreadable, *unread]),
        *listed("Check next", [_check(c.what, c.command, c.where) for c in incident.next_checks]),
        *listed("Besides", [more] if more else []),
    ]
    if incident.links:
        sections.append(Section("Read more", ", ".join(incident.links)))
    return Reply("verdict", headline(incident), sections, final=True)


def ways_reply(incident: Incident) -> list[Reply]:
    """The workarounds, apart from the verdict: whoever only wants to know why need not scroll past commands."""
    if not incident.workarounds:
        return []
    count = len(incident.workarounds)
    said = f"{count} ways on from here, the best first." if count > 1 else "One way on from here."
    return [Reply("ways", said, [_workaround(w) for w in incident.workarounds], final=True)]


def nothing_found(read: str, unread: Sequence[str], *, measured: Sequence[str] = ()) -> Reply:
    """What is said when no line tells of a failure. `read` is what was read: "812 lines of esx-1 and esx-2".

    What was measured is told; by itself it says nothing of a failure that no line tells of.
    """
    if unread:
        said = f"No cause can be named: not all logs could be read, and {read} that were read show no NFC failure."
    else:
        said = f"No cause can be named: {read} were read and show no NFC failure."
    return Reply("verdict", said, [*listed("Measured", measured), *listed("Could not be read", unread)], final=True)


def listed(heading: str, items: Iterable[str]) -> list[Section]:
    """A section with a line for each item; none without items."""
    lines = [f"• {item}" for item in items]
    return [Section(heading, "\n".join(lines))] if lines else []


def _lines(evidence: Sequence[Evidence]) -> list[str]:
    """The first lines in the order of time; what does not fit is counted."""
    shown = [f"{e.file}:{e.line} [{e.role.value}] {e.text}" for e in evidence[:SHOWN_LINES]]
    rest = len(evidence) - len(shown)
    return [*shown, f"... and {rest} more lines"] if rest > 0 else shown


def _check(what: str, command: str, where: str) -> str:
    return what + (f" ({where}): {command}" if command and where else f": {command}" if command else "")


def _workaround(workaround: Workaround) -> Section:
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(workaround.steps, 1))
    caveat = f"\nCaveat: {workaround.caveat}" if workaround.caveat else ""
    return Section(workaround.title, steps + caveat, workaround.commands)
