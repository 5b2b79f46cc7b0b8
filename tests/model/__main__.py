"""`python -m tests.model`: search, print what was found, and write it down for the docs. Exit 1 if something broke."""

from __future__ import annotations

import sys
from time import process_time

from tests.model.guards import Guard
from tests.model.invariants import INVARIANTS, reaches_an_end
from tests.model.proof import PURPOSE, WORLDS, keep, row, sentence, without
from tests.model.search import search


def main() -> int:
    began = process_time()
    rows = {}
    for name, bounds in WORLDS.items():
        found = search(bounds)
        rows[name] = row(found)
        print(
            f"{name}: {found.states} states, {found.steps} steps, depth {found.depth}, {found.seconds:.1f} s",
            flush=True,
        )
        if found.broken:
            print(f"  BROKEN: {found.broken}", *found.trace, sep="\n    ")
            return 1
    for invariant in (*INVARIANTS, reaches_an_end):
        print(f"  holds: {sentence(invariant)}")
    for guard in Guard:
        found = without(guard)
        print(f"\nWithout '{guard}':", flush=True)
        if not found.broken:
            print("  NOTHING BREAKS: the guard is not needed, or the search cannot see why it is")
            return 1
        print(f"  broken: {sentence(PURPOSE[guard][1])}", *found.trace, sep="\n    ")
    keep(rows)
    print(f"\n{process_time() - began:.0f} s of one core")
    return 0


if __name__ == "__main__":
    sys.exit(main())
