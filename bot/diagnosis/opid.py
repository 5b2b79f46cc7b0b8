"""How one user action is followed through the logs of vCenter and hosts: opIDs and their suffixes.

Every callee appends a suffix of its own (`C65743A5-0000024D` in vpxd, `C65743A5-0000024D-5c` in vpxa, one more in
hostd), so lines are joined by the base, compared on dash boundaries and without letter case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.diagnosis.patterns import compile_pattern

# Families whose base cannot be told from a suffix by shape alone, the most specific first.
_OURS = r"(?i)^(?P<base>cm-[0-9a-z]{8}-a\d+)(?:-|$)"  # migration and attempt
_FAMILIES = tuple(
    compile_pattern(pattern)
    for pattern in (
        _OURS,
        r"(?i)^(?P<base>.+-h5:\d+)(?:-|$)",  # the HTML5 client
        r"(?i)^(?P<base>[0-9a-f]{8}-[0-9a-f]{8})(?:-|$)",  # the old clients
    )
)
_CARRIED = re.compile(r"\bopI[dD]=([^\s\],]+)")
_SUFFIXES = compile_pattern(r"(?i)^(?P<base>.+?)(?:-[0-9a-f]{2})+(?:-[0-9a-f]{4})?$")
# Loops of vCenter and the host agents themselves: no user's task ever runs under these.
_INTERNAL = compile_pattern(
    r"(?i)^(?:WFU-|hostd-|HB-host-|SWI-|PollQuickStatsLoop-|ProcessAlarmFiring-|SvcAcctInit-|[\w.]+\.cpp:)"
)


def op_base(op_id: str, *, known: Iterable[str] = ()) -> str:
    """Return the part that all lines of one action share, letters as given; `known` bases win, longest first."""
    for base in sorted(known, key=len, reverse=True):
        if belongs_to(op_id, base):
            return op_id[: len(base)]
    found = _SUFFIXES.match(op_id)
    return family_base(op_id) or (found and found.groupdict()["base"]) or op_id


def family_base(op_id: str) -> str | None:
    """Return the base where the form of the opID tells it beyond doubt."""
    found = next((hit for family in _FAMILIES if (hit := family.match(op_id))), None)
    return found.groupdict()["base"] if found else None


def belongs_to(op_id: str, base: str) -> bool:
    """Tell whether `op_id` is `base` or `base` with suffixes."""
    op_id, base = op_id.casefold(), base.casefold()
    return op_id == base or op_id.startswith(base + "-")


def op_ids_in(text: str) -> list[str]:
    """Return the operation ids that a line carries, in any form of header."""
    return _CARRIED.findall(text)


def same_operation(text: str, op_id: str) -> bool:
    """Tell whether a line carries this operation id or one derived from it. No operation id is like none."""
    return bool(op_id) and any(belongs_to(found, op_id) for found in op_ids_in(text))


def is_ours(op_id: str) -> bool:
    """Tell whether this product gave the opID, to whichever migration."""
    return _FAMILIES[0].match(op_id) is not None


def is_internal(op_id: str) -> bool:
    """Tell whether this is a housekeeping loop, under which unrelated things happen."""
    return _INTERNAL.match(op_id) is not None
