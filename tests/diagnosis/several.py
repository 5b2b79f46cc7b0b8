"""What becomes of the children that read several files: `python -m tests.diagnosis.several killed|left FOLDER`.

A program of its own, because only one of a single thread is doubled, and a test's worker has more.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from pathlib import Path

from bot.diagnosis.engine import load_engine
from bot.diagnosis.inputs.member import Limits
from bot.diagnosis.inputs.unit import units
from bot.diagnosis.reading import read
from bot.diagnosis.scan import Found
from bot.diagnosis.verdict import Trouble


def main(what: str, folder: Path) -> None:
    items = read(units([folder]), load_engine().catalogue.needles, processes=2, stdin=None, limits=Limits())
    next(items)
    children = multiprocessing.active_children()
    if what == "left":
        items.close()
        rest = []
    else:
        os.kill(min(child.pid or 0 for child in children), signal.SIGKILL)
        rest = list(items)
    outcome = {
        "children": len(children),
        "left": len(multiprocessing.active_children()),
        "troubles": [item.reason for item in rest if isinstance(item, Trouble)],
        "hits": sum(isinstance(item, Found) and item.hit for item in rest),
    }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
