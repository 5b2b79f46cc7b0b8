"""An evidence pack as one page that needs nothing else, to be read in light and dark, on a telephone and on paper.

How it looks is in `evidence.html.jinja` and `evidence.css`. No script, no font or picture from anywhere; a policy says
so. Text of strangers is spelled out: nothing in a log line can steer the page.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from bot.diagnosis.printable import printable
from bot.operations.evidence_capture import ABOUT
from bot.operations.evidence_controls import PACKETS
from bot.operations.evidence_pack import TITLE, Pack
from bot.operations.measure import SMALL

_FOLDER: Final = Path(__file__).parent


def page_of(pack: Pack) -> str:
    """Return the page."""
    css = (_FOLDER / "evidence.css").read_text(encoding="utf-8")
    return _template().render(
        css=Markup(css),  # noqa: S704 - our own file
        style_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        title=TITLE,
        pack=pack,
        chart=base64.b64encode(pack.chart).decode() if pack.chart else "",
        capture=ABOUT,
        packet_words=f"{PACKETS} packets of {SMALL} bytes each",
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": _clock, "short": _short}
    return environment.get_template("evidence.html.jinja")


def _shown(value: Any) -> Any:
    """Whatever enters the page as text is spelled out first; markup of ours is left alone."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _short(iso: str) -> str:
    """`01:42:03.125` of a line's time; empty of one without."""
    return iso[11:23]
