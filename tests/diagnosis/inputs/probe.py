"""Reads inputs in a process of its own, and tells what that took. `python probe.py LIMITS PATH...` (`-` is stdin)."""

from __future__ import annotations

import json
import resource
import sys
import time

from bot.diagnosis.inputs.member import STRICT, Limits, Member, UnreadableError
from bot.diagnosis.inputs.opening import members
from bot.diagnosis.inputs.unit import units


def main() -> None:
    limits = STRICT if sys.argv[1] == "strict" else Limits()
    buffer = memoryview(bytearray(1 << 18))
    said, names, total, most_said = [], [], 0, 40
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    for unit in units(sys.argv[2:]):
        for item in members(unit, stdin=sys.stdin.buffer, limits=limits):
            if not isinstance(item, Member):
                said.append([type(item).__name__, item.file, item.reason])
                continue
            names.append(item.name)
            try:
                while size := item.readinto(buffer):
                    total += size
            except UnreadableError as refusal:
                said.append(["Trouble", item.name, str(refusal)])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(
        json.dumps(
            {
                "said": said[:most_said],
                "members": len(names),
                "names": names[:most_said],
                "bytes": total,
                "grown": grown * 1024,
                "seconds": time.perf_counter() - started,
            }
        )
    )


if __name__ == "__main__":
    main()
