"""Opens a page in the browser of whoever sits in front of this machine, if there is one and somebody sits there."""

from __future__ import annotations

import asyncio
import sys
import webbrowser

from bot.settings import with_environment


async def open_browser(url: str) -> bool:
    """Whether a browser was asked to show it. On a machine without a display nothing is tried: a text browser would
    take the terminal away.
    """
    surroundings = with_environment({})
    if sys.platform == "linux" and not (surroundings.get("DISPLAY") or surroundings.get("WAYLAND_DISPLAY")):
        return False
    return await asyncio.to_thread(webbrowser.open, url)
