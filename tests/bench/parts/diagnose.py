"""How near `coldmigrate diagnose` comes to the speed of looking for strings, as whole processes, start-up included.

The peers look for the needles of all rules and print the lines; ours also parses, groups, judges and writes JSON.
Rounds are interleaved, and medians are told.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Final

from bot.diagnosis.engine import load_engine
from tests.bench import logs, peers
from tests.bench.figures import Figure

NAME: Final = "diagnose"

MEGABYTE: Final = 1_000_000
UNIT: Final = 100 * MEGABYTE
COPIES: Final = 10  # of the unit make the big log
FILES: Final = 20
ROUNDS: Final = 5
OURS: Final = str(Path(sys.executable).with_name("coldmigrate"))
CASE: Final = Path("tests/diagnosis/cases/nfc-session-died-mid-write/seed-vpxa-packet-loss-wan-2012/vpxa.log")
MOST_MEMORY: Final = 100.0
START_LIMIT: Final = 6.0
INSIGHTS: Final = """\
import sys
from insights.core import LogFileOutput
from insights.tests import context_wrap
class Log(LogFileOutput):
    pass
wanted = open(sys.argv[1], encoding="utf-8").read().splitlines()
log = Log(context_wrap(open(sys.argv[2], encoding="utf-8").read().splitlines()))
print(len(log.get(wanted, check=any)))
"""

_WATCHED: Final = """\
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A process counts the memory of whoever started it until then, and a bench is large: so somebody small starts it."""

Run = Callable[[], None]


async def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return list(_measured(Path(folder)))


def _measured(folder: Path) -> Iterator[Figure]:
    needles = folder / "needles"
    literals = load_engine().catalogue.needles.literals
    needles.write_bytes(b"\n".join(literals) + b"\n")
    yield Figure(name="diagnose.needles", value=len(literals), unit="strings")
    unit = logs.plain(folder / "vpxa.log", UNIT)
    yield from _plain(folder, unit, needles)
    yield from _others(folder, unit, needles)
    yield from _compressed(folder, unit, needles)
    yield from _memory(unit)
    yield _start()


def _plain(folder: Path, unit: Path, needles: Path) -> Iterator[Figure]:
    big = folder / "big.log"
    with big.open("wb") as out:
        for _ in range(COPIES):
            out.write(unit.read_bytes())
    search = [peers.ripgrep(), "--no-mmap", "-F", "-f", str(needles), str(big)]
    taken = _interleaved({"ours": _diagnose(big), "rg": _run(search)})
    yield _speed("diagnose.plain", big.stat().st_size, taken, "rg --no-mmap -F -f needles", "rg", at_least=0.45)
    big.unlink()


def _others(folder: Path, unit: Path, needles: Path) -> Iterator[Figure]:
    size = unit.stat().st_size
    script = folder / "read.py"
    script.write_text(INSIGHTS, encoding="utf-8")
    slow = {"insights-core": _run([peers.insights_python(), str(script), str(needles), str(unit)])}
    if (lnav := peers.lnav()) is None:
        print("diagnose: no lnav on this machine (apt install lnav), so it is no peer", file=sys.stderr)
    else:
        pattern = "|".join(_words(needles))
        slow["lnav"] = _run([lnav, "-n", "-c", f":filter-in {pattern}", str(unit)])
    taken = _interleaved({"ours": _diagnose(unit), **slow}, rounds=3)
    for name in slow:
        yield _speed(f"diagnose.beside-{name}", size, taken, name, name, at_least=10)


def _words(needles: Path) -> Sequence[str]:
    """A few of the needles that need no escaping: lnav's filter is a pattern."""
    plain = [line for line in needles.read_text(encoding="utf-8").splitlines() if line.isalnum()]
    return plain[:20]


def _compressed(folder: Path, unit: Path, needles: Path) -> Iterator[Figure]:
    search = [peers.ripgrep(), "-z", "-F", "-f", str(needles)]
    one = logs.packed(folder / "vpxa.0.gz", unit)
    taken = _interleaved({"ours": _diagnose(one), "rg": _run([*search, str(one)])})
    yield _speed("diagnose.gz", unit.stat().st_size, taken, "rg -z", "rg", at_least=2)
    bundle = folder / "bundle"
    bundle.mkdir()
    size = 0
    for number in range(FILES):
        plain = logs.plain(folder / "part.log", UNIT // FILES * 2, seed=number)
        size += plain.stat().st_size
        logs.packed(bundle / f"vpxa.{number}.gz", plain)
    taken = _interleaved({"ours": _diagnose(bundle), "rg": _run([*search, "-j2", str(bundle)])})
    yield _speed("diagnose.20-gz", size, taken, "rg -z -j2", "rg", at_least=2)


def _memory(unit: Path) -> Iterator[Figure]:
    for copies, name in ((0.1, "10-MB"), (COPIES, "1-GB"), (10 * COPIES, "10-GB")):
        figure = Figure(name=f"diagnose.memory-{name}", value=_peak(unit, copies), unit="MB")
        yield figure.below(MOST_MEMORY)


def _peak(unit: Path, copies: float) -> float:
    """The most memory that a diagnosis of standard input takes, in MB; the input is the unit so often."""
    data = unit.read_bytes()
    with subprocess.Popen(
        [sys.executable, "-c", _WATCHED, OURS, "diagnose", "--format", "json", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(int(copies)):
            process.stdin.write(data)
        process.stdin.write(data[: int(len(data) * (copies - int(copies)))])
        process.stdin.close()
        code, kibibytes = map(int, process.stdout.read().split())
    if code not in {0, 1}:
        raise RuntimeError(f"diagnose ended with {code}")
    return kibibytes / 1024


def _start() -> Figure:
    small = {"ours": _diagnose(CASE), "python": _run([sys.executable, "-c", "pass"])}
    _interleaved(small, rounds=2)  # everything is compiled and cached by now
    taken = _interleaved(small, rounds=15)
    figure = Figure(name="diagnose.small-file", value=taken["ours"] * 1000, unit="ms")
    beside = figure.against("python -c pass", taken["python"] * 1000)
    return replace(beside, goal=f"<= {START_LIMIT:g} x", met=(beside.ratio or 0) <= START_LIMIT)


def _speed(name: str, size: int, taken: Mapping[str, float], told: str, peer: str, *, at_least: float) -> Figure:
    mine, theirs = (size / MEGABYTE / taken[who] for who in ("ours", peer))
    figure = Figure(name=name, value=mine, unit="MB/s").against(told, theirs)
    return replace(figure, goal=f">= {at_least:g} x", met=(figure.ratio or 0) >= at_least)


def _interleaved(runs: Mapping[str, Run], *, rounds: int = ROUNDS) -> dict[str, float]:
    """Medians of the seconds that each takes, in turns; the first turn warms up and does not count."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            began = monotonic()
            run()
            if number:
                taken[name].append(monotonic() - began)
    return {name: median(seconds) for name, seconds in taken.items()}


def _diagnose(path: Path) -> Run:
    return _run([OURS, "diagnose", "--format", "json", str(path)])


def _run(command: Sequence[str]) -> Run:
    def run() -> None:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        if done.returncode not in {0, 1}:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-300:].decode()}")

    return run
