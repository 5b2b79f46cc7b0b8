"""The numbers of one process in Prometheus' form, from a registry of its own: nothing here is global.

`docs/kubernetes.md` explains each. Those of the whole fleet are the same in every process that reads them.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.health.lookout import Lookout, Table
from bot.health.pulse import Pulse
from bot.health.tally import Tally

PREFIX = "coldmigrate_"


def registry_of(role: str, pulse: Pulse, lookout: Lookout, tally: Tally) -> CollectorRegistry:
    """Everything that this process can say of itself, and what it read lately of the fleet."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ours(role, pulse, lookout, tally))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class _Ours(Collector):
    """Made anew at each scrape, from plain numbers; it asks nobody."""

    def __init__(self, role: str, pulse: Pulse, lookout: Lookout, tally: Tally) -> None:
        self._build = {"version": version("coldmigrate-bot"), "python": platform.python_version(), "role": role}
        self._pulse = pulse
        self._lookout = lookout
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(f"{PREFIX}build", "What runs here.", value=self._build)
        yield from self._health()
        yield from self._deeds()
        yield from self._fleet()
        for table in self._lookout.tables():
            yield from _families(table)

    def _health(self) -> Iterator[Metric]:
        ready = 1.0 if self._lookout.ready else 0.0
        yield GaugeMetricFamily(f"{PREFIX}ready", "Whether this process can work.", value=ready)
        up = GaugeMetricFamily(f"{PREFIX}dependency_up", "Whether what it needs answers.", labels=["dependency"])
        for name, well in self._lookout.standing().items():
            up.add_metric([name], 1.0 if well else 0.0)
        yield up
        lag = "The latest that the event loop ever was."
        yield GaugeMetricFamily(f"{PREFIX}event_loop_longest_lag_seconds", lag, value=self._pulse.longest_lag)

    def _deeds(self) -> Iterator[Metric]:
        for name, meaning, value in (
            ("claims", "Jobs that this process took up.", self._tally.claims),
            ("take_overs", "Those of them that another worker had begun.", self._tally.take_overs),
            ("hand_overs", "Jobs given to another worker before their end.", self._tally.hand_overs),
            ("lease_renewals_failed", "Times that a lease could not be renewed.", self._tally.renewals_failed),
        ):
            yield CounterMetricFamily(f"{PREFIX}{name}", meaning, value=value)

    def _fleet(self) -> Iterator[Metric]:
        for family, found in self._lookout.figures():
            gauge = GaugeMetricFamily(
                f"{PREFIX}{family.name}", family.meaning, labels=[family.label][: bool(family.label)]
            )
            for label, value in found.items():
                gauge.add_metric([label] if family.label else [], value)
            yield gauge


def _families(table: Table) -> Iterator[Metric]:
    made = [
        (CounterMetricFamily if column.counts else GaugeMetricFamily)(
            f"{PREFIX}{column.name}", column.meaning, labels=table.labels
        )
        for column in table.columns
    ]
    for labels, values in table.rows():
        for family, value in zip(made, values, strict=True):
            if value is not None:
                family.add_metric(labels, value)
    yield from made
