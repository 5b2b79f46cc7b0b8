"""Fragments of big files, as support bundles hold them: `vmkernel.log.FRAG-00000`, `.FRAG-00001` and on.

The bundle's reconstruct.sh puts them together in the order of their numbers; so does this, in a folder or an archive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_FRAGMENT = re.compile(r"(?P<whole>.+)\.FRAG-(?P<number>\d{3,9})\Z", re.DOTALL)


def fragment(name: str) -> tuple[str, int] | None:
    """Return the name of the whole file and the number of this fragment of it, None for any other name."""
    found = _FRAGMENT.match(name)
    return (found["whole"], int(found["number"])) if found else None


def missing_words(numbers: Iterable[int], first: int = 0) -> str:
    """Say which fragments from `first` on are missing; empty when none is.

    The last ones cannot be missed: nothing says how many there were.
    """
    have = sorted(set(numbers))
    gaps = [
        (before + 1, after - 1) for before, after in zip([first - 1, *have], have, strict=False) if after - before > 1
    ]
    if not gaps:
        return ""
    which = ", ".join(str(start) if start == end else f"{start} to {end}" for start, end in gaps[:5])
    more = f" and {len(gaps) - 5} more gaps" if len(gaps) > 5 else ""  # noqa: PLR2004
    single = len(gaps) == 1 and gaps[0][0] == gaps[0][1]
    return f"fragment{'' if single else 's'} {which}{more} {'is' if single else 'are'} missing; the others were joined"
