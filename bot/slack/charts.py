"""Pictures for Slack: a timeline as a PNG that can be read at the width of a message.

Drawn by workers only. How text is written, and how matplotlib is treated, is in `bot.slack.lettering`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.diagnosis.causes import Role
from bot.diagnosis.report.phrases import ROLE_IN_WORDS
from bot.diagnosis.report.timeline import Lane, Timeline
from bot.slack.lettering import BAND, DRAWING, GRID, SOFT, WIDTH, cut, end, png, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEVEL: Final = 0.15  # inches that one mark is lifted over another
_LANE: Final = 0.42
_HEAD: Final = 0.80
_FOOT: Final = 1.20
_SHORT_FOOT: Final = 0.66  # without a line that decides
_TALLEST: Final = 16.0
# Shape and colour both tell the role; the colours stay apart for every kind of colour blindness.
_LOOKS: Final[dict[Role, dict[str, Any]]] = {
    Role.CONTEXT: {"marker": "s", "s": 26, "facecolor": "#8b939c", "edgecolor": "white", "zorder": 4},
    Role.UNWINDING: {
        "marker": "o",
        "s": 46,
        "facecolor": "white",
        "edgecolor": "#56879f",
        "linewidth": 1.4,
        "zorder": 5,
    },
    Role.SYMPTOM: {"marker": "o", "s": 52, "facecolor": "#0068a5", "edgecolor": "white", "zorder": 6},
    Role.DECISIVE: {"marker": "D", "s": 50, "facecolor": "#c23b00", "edgecolor": "white", "zorder": 7},
}


def timeline_png(timeline: Timeline) -> bytes:
    """Return the picture, 1600 pixels wide. Safe to call from any thread."""
    with DRAWING:
        return png(_Picture(timeline).figure)


class _Picture:
    """One drawing: lanes from top to bottom in inches, marks from 0 to 1 across."""

    def __init__(self, timeline: Timeline) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - a second of work, and only here
        from matplotlib.figure import Figure  # noqa: PLC0415

        self._timeline = timeline
        self._heights = [_LANE + (lane.levels - 1) * _LEVEL for lane in timeline.lanes]
        inside = max(sum(self._heights), _LANE)
        foot = _FOOT if timeline.chief else _SHORT_FOOT
        height = min(_HEAD + inside + foot, _TALLEST)
        self.figure: Figure = Figure(figsize=(WIDTH, height))
        FigureCanvasAgg(self.figure)
        self._axes = self.figure.add_axes((0.03, foot / height, 0.94, 1 - (_HEAD + foot) / height))
        self._axes.set_xlim(-0.025, 1.025)
        self._axes.set_ylim(inside, 0)
        self._axes.set_axis_off()
        self._inside = inside
        self._draw()

    def _draw(self) -> None:
        timeline = self._timeline
        self.figure.text(0.03, 1 - 0.32 / self._height, cut(timeline.title, 80), **words(11.5, bold=True))
        subtitle = " ".join((f"{timeline.subtitle}." if timeline.subtitle else "", *timeline.notes)).strip()
        self.figure.text(0.03, 1 - 0.56 / self._height, cut(subtitle, 118), **words(9, colour=SOFT))
        for tick in timeline.ticks:
            self._axes.axvline(tick.at, color=GRID, linewidth=0.8, zorder=2)
            side = "left" if tick.at < 0.06 else "right" if tick.at > 0.94 else "center"  # noqa: PLR2004 - the edges
            self._axes.text(tick.at, self._inside + 0.20, cut(tick.label, 24), ha=side, **words(9, colour=SOFT))
        top = 0.0
        for lane, height in zip(timeline.lanes, self._heights, strict=True):
            self._lane(lane, top, height)
            top += height
        self._chief()
        self._legend()

    @property
    def _height(self) -> float:
        return float(self.figure.get_figheight())

    def _lane(self, lane: Lane, top: float, height: float) -> None:
        from matplotlib.patches import Rectangle  # noqa: PLC0415

        band = Rectangle((-0.025, top + 0.02), 1.05, height - 0.04, facecolor=BAND, zorder=1)
        self._axes.add_patch(band)
        name = f"{lane.title} ({lane.host})" if lane.host and lane.host not in lane.title else lane.title
        shown = cut(name, 70)
        self._axes.text(-0.018, top + 0.15, shown, zorder=9, **words(9.5, bold=True, halo=True))
        if lane.remark and len(shown) + len(lane.remark) < 95:  # noqa: PLR2004 - what fits beside the name
            self._axes.text(1.018, top + 0.15, cut(lane.remark, 90), ha="right", zorder=9, **words(8, colour=SOFT))
        for mark in lane.marks:
            self._axes.scatter([mark.at], [top + height - 0.11 - mark.level * _LEVEL], **_LOOKS[mark.role])

    def _chief(self) -> None:
        """Point out the first line that decides, and print what it says."""
        chief = self._timeline.chief
        if chief is None:
            return
        self._axes.axvspan(chief.at - 0.004, chief.at + 0.004, color="#c23b00", alpha=0.18, linewidth=0, zorder=3)
        where = f"{chief.file.rsplit('/', 1)[-1]}:{chief.line}"
        self._foot(0.62, f"Decides: {cut(where, 60)}", words(9.5, bold=True, colour="#a83300"))
        self._foot(0.42, end(chief.text, 100), words(8.5, mono=True))

    def _legend(self) -> None:
        shown = [
            role for role in _LOOKS if any(mark.role is role for lane in self._timeline.lanes for mark in lane.marks)
        ]
        place = 0.04
        axes: Axes = self.figure.add_axes((0, 0, 1, 0.30 / self._height))
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_axis_off()
        for role in reversed(shown):
            axes.scatter([place], [0.5], **_LOOKS[role])
            axes.text(place + 0.014, 0.5, ROLE_IN_WORDS[role], va="center", **words(8.5, colour=SOFT))
            place += 0.055 + 0.0098 * len(ROLE_IN_WORDS[role])

    def _foot(self, inches: float, text: str, style: dict[str, Any]) -> None:
        self.figure.text(0.03, inches / self._height, text, **style)
