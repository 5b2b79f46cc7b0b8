"""How text is written into pictures: fonts that are always there, and letters of strangers one by one.

matplotlib is loaded by the first picture and never touched as a whole: no pyplot, no settings of its own changed.
"""

from __future__ import annotations

import io
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from bot.diagnosis.printable import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

INK: Final = "#1d2126"
SOFT: Final = "#5a626c"
BAND: Final = "#f1f3f5"
GRID: Final = "#d5d9dd"
WIDTH: Final = 8.0
"""Inches; at 200 dots each, a message shows the picture at about half its size."""

DRAWING: Final = threading.Lock()
"""To be held while anything is drawn: matplotlib promises nothing to two threads."""

_DPI: Final = 200


def png(figure: Figure) -> bytes:
    """Return the picture, 1600 pixels wide. Hold `DRAWING`."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=_DPI, facecolor="white", metadata={"Software": None})
    return picture.getvalue()


def words(
    size: float, *, bold: bool = False, mono: bool = False, colour: str = INK, halo: bool = False
) -> dict[str, Any]:
    """Return how text is written: a font that is always there, and a dollar sign is a dollar sign."""
    style: dict[str, Any] = {
        "fontproperties": _font(bold=bold, mono=mono).copy(),
        "fontsize": size,
        "color": colour,
        "parse_math": False,
    }
    if halo:
        from matplotlib.patheffects import withStroke  # noqa: PLC0415

        style["path_effects"] = [withStroke(linewidth=3, foreground=BAND)]
    return style


@cache
def _font(*, bold: bool = False, mono: bool = False) -> FontProperties:
    from matplotlib import get_data_path  # noqa: PLC0415
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415

    name = f"DejaVuSans{'Mono' if mono else ''}{'-Bold' if bold else ''}.ttf"
    return FontProperties(fname=f"{get_data_path()}/fonts/ttf/{name}")


@cache
def _letters() -> frozenset[int]:
    """Return what all the fonts used here can draw."""
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415

    fonts = (_font(), _font(bold=True), _font(mono=True))
    return frozenset.intersection(*(frozenset(FT2Font(str(font.get_file())).get_charmap()) for font in fonts))


def _drawable(text: str) -> str:
    """Return the text with a box in place of each letter that no font here has."""
    known = _letters()
    return "".join(letter if ord(letter) in known else "\u25a1" for letter in printable(text).replace("\t", " "))


def cut(text: str, most: int) -> str:
    """Return its beginning, with what no font can draw boxed."""
    safe = _drawable(text)
    return safe if len(safe) <= most else safe[: most - 1] + "…"


def end(text: str, most: int) -> str:
    """Return the end of a log line, where it says what happened."""
    safe = _drawable(text)
    return safe if len(safe) <= most else "…" + safe[-most + 1 :]
