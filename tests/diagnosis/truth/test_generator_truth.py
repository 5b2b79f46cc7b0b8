"""What a log is known to hold is what is found in it: operations, first and last line and counts, in every layout.

The log is one of our own making; where the workplace has the shared generator beside the project, that one too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.diagnosis.opid import belongs_to
from bot.diagnosis.verdict import Incident, Report
from tests.diagnosis.truth.bursts import LAYOUTS, Burst, Log
from tests.diagnosis.truth.renderings import HEALTHY

SHARED = Path(__file__).parents[4] / "shared/corpus/gen_vpxa_log.py"
MB = 1_000_000

with_the_shared_one = pytest.mark.skipif(not SHARED.exists(), reason="the shared generator is not beside the project")


def written(path: Path, log: Log, size: int) -> Path:
    with path.open("w", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in log.lines(size))
    return path


def incident_of(report: Report, op_id: str) -> Incident:
    fitting = [incident for incident in report.incidents if any(belongs_to(op_id, base) for base in incident.op_ids)]
    assert len(fitting) == 1, f"{op_id}: {len(fitting)} incidents"
    return fitting[0]


def assert_holds_exactly(report: Report, truth: Iterable[Burst]) -> None:
    truth = list(truth)
    found = {burst.op_id: incident_of(report, burst.op_id) for burst in truth}
    for burst in truth:
        incident = found[burst.op_id]
        assert (incident.lines, incident.first, incident.last) == (burst.lines, burst.first, burst.last), burst
        assert burst.cause in {"", incident.cause}, burst
    assert len(report.incidents) == len(truth)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_bursts_are_found_exactly(engine, tmp_path, layout, seed):
    log = Log(layout, seed=seed, every=400)
    report = engine.diagnose_paths([written(tmp_path / "vpxa.log", log, MB)])
    assert len(log.bursts) > 5
    assert_holds_exactly(report, log.bursts)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_five_megabytes_without_a_burst_raise_nothing(engine, tmp_path, layout):
    """Twenty in all; a gigabyte is read by hand with the shared generator."""
    report = engine.diagnose_paths([written(tmp_path / "vpxa.log", Log(layout, seed=3, every=0), 5 * MB)])
    assert report.incidents == ()
    assert report.stats.bytes >= 5 * MB


@pytest.mark.parametrize("sample", sorted(HEALTHY.glob("*.txt")), ids=lambda sample: sample.stem)
def test_no_healthy_sample_raises_anything(engine, tmp_path, sample):
    """As the log of any program: a name decides which rules may speak."""
    for name in ("vpxa.log", "hostd.log", "vpxd.log", "vmkernel.log", "vmware.log", "client.log", "paste.txt"):
        log = tmp_path / name
        log.write_bytes(sample.read_bytes())
        assert engine.diagnose_paths([log]).incidents == (), name


def made_by_the_shared_one(folder: Path, *options: str) -> tuple[Path, list[Burst]]:
    log, truth = folder / "vpxa.log", folder / "truth.json"
    subprocess.run(
        [sys.executable, str(SHARED), "--out", str(log), "--truth", str(truth), *options],
        check=True,
        capture_output=True,
        timeout=100,
    )
    return log, [_burst(entry) for entry in json.loads(truth.read_text(encoding="utf-8"))["incidents"]]


def _burst(entry: dict[str, str | int]) -> Burst:
    moments = [datetime.fromisoformat(str(entry[name])).astimezone(UTC) for name in ("first", "last")]
    return Burst(str(entry["opid"]), "", moments[0], moments[1], int(entry["lines"]))


@with_the_shared_one
@pytest.mark.parametrize("layout", [*LAYOUTS, ",".join(LAYOUTS)])
def test_the_shared_generators_truth(engine, tmp_path, layout):
    log, truth = made_by_the_shared_one(tmp_path, "--size", "2M", "--rate", "0.0015", "--layouts", layout)
    assert len(truth) > 5
    assert_holds_exactly(engine.diagnose_paths([log]), truth)


@with_the_shared_one
def test_the_shared_generator_without_bursts(engine, tmp_path):
    log, _ = made_by_the_shared_one(tmp_path, "--size", "20M", "--rate", "0")
    assert engine.diagnose_paths([log]).incidents == ()
