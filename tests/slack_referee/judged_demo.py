"""`python -m tests.slack_referee.judged_demo demo --story`: the demo, and then a judgement of all that it said.

Ends like the demo does, or with 3 if anything was wrong with what the bot said, or if nothing was heard of it.
"""

from __future__ import annotations

import sys

from bot.cli.main import main
from tests.slack_referee.hearing import Hearing

WRONG = 3


def run() -> int:
    hearing = Hearing()
    hearing.begin()
    try:
        main()
    except SystemExit as end:
        code = end.code
    else:
        code = 0
    faults = hearing.verdict()
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"judged: {hearing.count} messages and views, {len(faults)} faults", file=sys.stderr)
    return WRONG if faults or not hearing.count else int(code or 0)


if __name__ == "__main__":
    sys.exit(run())
