"""The loss and the rate of one link over time, as a PNG that can be read at the width of a message.

Drawn by workers and the command line only. A point is what was measured in one stretch of time, with the bar that says
how sure that is; where nothing was measured there is nothing, and no line makes believe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bot.migration.eta import in_words
from bot.migration.intervals import percent
from bot.migration.link_loss import Stretch, pooled, stretches
from bot.migration.measured import LinkSample, SampleKind
from bot.slack.figures import rate as rate_in_words
from bot.slack.lettering import DRAWING, GRID, INK, SOFT, WIDTH, cut, png, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STRETCHES: Final = 96
"""A quarter of an hour each, of a day."""

_HEIGHT: Final = 4.6
_LEFT, _ACROSS = 0.085, 0.885
_TICKS: Final = 8
_STEPS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200)
)
_LOST, _CLEAN, _COPY, _BOUND = "#c23b00", "#56879f", "#0068a5", "#8a6d00"
_MEGABIT: Final = 125_000
_DAY: Final = timedelta(days=1)


def loss_chart(
    samples: Sequence[LinkSample], *, link: str, since: datetime, until: datetime, bound: float | None = None
) -> bytes:
    """Return the picture, 1600 pixels wide. `bound`: the share of packets that the link may lose, by the config.

    Safe to call from any thread. Nothing measured in that time is a picture that says so.
    """
    span = _Span(since, max(until, since + _STEPS[0]))
    shown = [sample for sample in samples if span.since <= sample.at <= span.until]
    with DRAWING:
        return png(_Picture(shown, link, span, bound).figure)


@dataclass(frozen=True, slots=True)
class _Span:
    since: datetime
    until: datetime

    def at(self, moment: datetime) -> float:
        """Where a moment is, from 0 to 1 across."""
        return (moment - self.since) / (self.until - self.since)

    def ticks(self) -> list[datetime]:
        """Round moments, few enough to be read."""
        long = self.until - self.since
        step = next((step for step in _STEPS if long / step <= _TICKS), max(_STEPS[-1], long / _TICKS))
        midnight = self.since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        first = midnight + step * -((midnight - self.since) // step)
        return [first + step * number for number in range(_TICKS + 1) if first + step * number <= self.until]


class _Picture:
    """Two panels over one another: what was lost, and how fast copies were."""

    def __init__(self, samples: Sequence[LinkSample], link: str, span: _Span, bound: float | None) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - a second of work, and only here
        from matplotlib.figure import Figure  # noqa: PLC0415

        self._samples, self._span, self._bound = samples, span, bound
        self.figure: Figure = Figure(figsize=(WIDTH, _HEIGHT))
        FigureCanvasAgg(self.figure)
        self._head(link)
        each = (span.until - span.since) / STRETCHES
        key = f"a point: {in_words(each)}, its bar: 95 % CI" + (f", dashed: bound {percent(bound)}" if bound else "")
        lost = f"Packets: {pooled(samples).words}"
        self._loss(self._panel(bottom=0.47, height=0.335, scale="lost, %", says=lost, key=key))
        copied = _copies_in_words(samples)
        rates = self._panel(bottom=0.09, height=0.275, scale="Mbit/s", says=copied, key="dashed: median")
        self._rates(rates)
        for tick in span.ticks():
            label = f"{tick:%d %b}" if tick == tick.replace(hour=0, minute=0) else f"{tick:%H:%M}"
            rates.annotate(
                label, (span.at(tick), 0), (0, -6), ("axes fraction", "axes fraction"), "offset points",
                ha="center", va="top", **words(8.5, colour=SOFT),
            )  # fmt: skip

    def _head(self, link: str) -> None:
        span = f"{self._span.since:%Y-%m-%d %H:%M} to {self._span.until:%Y-%m-%d %H:%M} UTC"
        self.figure.text(0.03, 0.945, f"{cut(link, 50)}: packets lost, and rates of copies", **words(11.5, bold=True))
        self.figure.text(0.03, 0.895, span, **words(9, colour=SOFT))

    def _panel(self, *, bottom: float, height: float, scale: str, says: str, key: str) -> Axes:
        axes: Axes = self.figure.add_axes((_LEFT, bottom, _ACROSS, height))
        axes.set_xlim(0, 1)
        axes.set_xticks([])
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(GRID)
        for tick in self._span.ticks():
            axes.axvline(self._span.at(tick), color=GRID, linewidth=0.7, zorder=1)
        self.figure.text(0.012, bottom + height / 2, scale, rotation=90, va="center", **words(8.5, colour=SOFT))
        self.figure.text(_LEFT, bottom + height + 0.015, says, **words(8.5, bold=True))
        self.figure.text(_LEFT + _ACROSS, bottom + height + 0.015, key, ha="right", **words(8, colour=SOFT))
        return axes

    def _loss(self, axes: Axes) -> None:
        found = stretches(self._samples, since=self._span.since, until=self._span.until, most=STRETCHES)
        top = _top(found, self._bound)
        axes.set_ylim(0, top)
        _scale(axes, top)
        for stretch in found:
            self._stretch(axes, stretch)
        if self._bound:
            axes.axhline(self._bound * 100, color=_BOUND, linewidth=1.1, linestyle=(0, (5, 3)), zorder=3)
        if not found:
            _nothing(axes, "nothing was measured in this time")

    def _stretch(self, axes: Axes, stretch: Stretch) -> None:
        at, loss = self._span.at(stretch.middle), stretch.loss
        bar = [loss.interval.low * 100, loss.interval.high * 100]
        colour = _LOST if loss.lost else _CLEAN
        axes.plot([at, at], bar, color=colour, alpha=0.35, linewidth=2.2, zorder=4)
        marker = "D" if loss.lost else "o"
        axes.scatter([at], [loss.share * 100], s=22, marker=marker, color=colour, linewidth=0, zorder=5, clip_on=False)

    def _rates(self, axes: Axes) -> None:
        copies = [sample for sample in self._samples if sample.kind is SampleKind.COPY and sample.rate]
        megabits = [sample.rate / _MEGABIT for sample in copies if sample.rate]
        top = max(megabits, default=1.0) * 1.25
        axes.set_ylim(0, top)
        if not megabits:
            _nothing(axes, "no copy ended well in this time")
            return
        _scale(axes, top)
        places = [self._span.at(sample.at) for sample in copies]
        axes.scatter(places, megabits, s=30, marker="s", color=_COPY, linewidth=0, zorder=5, clip_on=False)
        axes.axhline(median(megabits), color=_COPY, linewidth=1.0, linestyle=(0, (5, 3)), alpha=0.6, zorder=3)


def _copies_in_words(samples: Sequence[LinkSample]) -> str:
    rates = [sample.rate for sample in samples if sample.kind is SampleKind.COPY and sample.rate]
    usual = f", median {rate_in_words(median(rates))}" if rates else ""
    return f"Copies that went well: {len(rates)}{usual}"


def _top(found: Sequence[Stretch], bound: float | None) -> float:
    """Percent at the upper edge: loss and the bound are seen whole, and the bars of clean stretches may be cut."""
    lossy = [stretch.loss.interval.high for stretch in found if stretch.loss.lost]
    return min(max([*lossy, 4 * (bound or 0), 0.005]) * 105, 102.0)


def _scale(axes: Axes, top: float) -> None:
    """Three or four round numbers at the side."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    values = [float(value) for value in MaxNLocator(4).tick_values(0, top) if 0 <= value <= top]
    axes.set_yticks([])
    for value in values:
        axes.annotate(
            f"{value:g}", (0, value), (-4, 0), ("axes fraction", "data"), "offset points",
            ha="right", va="center", **words(8, colour=SOFT),
        )  # fmt: skip


def _nothing(axes: Axes, what: str) -> None:
    style: dict[str, Any] = words(9, colour=INK)
    axes.set_yticks([])
    axes.text(0.5, 0.5, what, ha="center", va="center", transform=axes.transAxes, zorder=9, **style)
