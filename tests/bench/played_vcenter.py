"""A vCenter in a process of its own. Run as `python -m tests.bench.played_vcenter WORLD FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.playground.vcenter.player import main

if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
