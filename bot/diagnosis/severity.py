"""How bad a line says it is: four steps for all the words that five generations of logs use.

The word as read stays in the header; this is only its weight. A severity is what the program thought of its own line,
never a verdict: NFC errors are published under `warning`, `I125` and `info`.
"""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """What all words for it come down to."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


_WORDS = {
    Severity.ERROR: "error erro err er e critical crit cr c alert al a emergency emerg em panic pani dpanic p"
    " fatal fata f severe",
    Severity.WARNING: "warning warn wa w",
    Severity.INFO: "info information in i notice no n",
    Severity.DEBUG: "debug debu db d trace trac t trivia verbose v fine",
}
_BY_WORD = {word: severity for severity, words in _WORDS.items() for word in words.split()}
# The lower three bits of a syslog priority (RFC 5424, 6.2.1).
_BY_NUMBER = (Severity.ERROR,) * 4 + (Severity.WARNING,) + (Severity.INFO,) * 2 + (Severity.DEBUG,)
_MOST_PRIORITY = 191


def severity_of(word: str | None) -> Severity | None:
    """Return the weight of a word, a letter or a syslog priority; None for what is none of these."""
    if not word:
        return None
    if word.isascii() and word.isdigit() and len(word) <= len(str(_MOST_PRIORITY)):
        return _BY_NUMBER[int(word) & 7] if int(word) <= _MOST_PRIORITY else None
    return _BY_WORD.get(word.lower())
