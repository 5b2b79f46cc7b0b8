"""Fuzz the diagnosis and the syslog receiver: `python -m tests.fuzz.run log --seconds 1800`.

Coverage-guided (atheris on libFuzzer), from the recorded cases as seeds. Prints how the covered edges grew and keeps
that in build/fuzz-<target>.txt; inputs that broke a promise are left in build/fuzz-<target>/ and make it exit with 1.
"""

from __future__ import annotations

import argparse
import gzip
import io
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/diagnosis/cases"
RULES = ROOT / "bot/diagnosis/rules"
SYSLOG_SEEDS = (
    "<166>2024-03-26T04:31:17.959Z esx-01 Vpxa: info vpxa[21] [Originator@6876 sub=Libs] [NFC ERROR] x\n--> more\n",
    '62 <163>1 2024-03-26T04:31:17.959Z esx-01 Hostd 209 - [a@1 b="c"] [NFC ERROR]',
    '<163>1 2024-03-26T04:31:17.959Z esx-01 Hostd 209 - [Originator@6876 sub="A \\"b\\" [c\\]" opID="e"] [NFC ERROR]\0',
    "<13>Nov 23 20:00:01 relay <166>2024-03-26T04:31:17.959Z esx-01 Vpxa: [NFC ERROR] text\n",
    "<14>2024-03-26T04:31:17Z esx-01 vobd: 1us: [vob.user.vmsyslogd.remote.failure] The host\n99999999999 <14>x",
    "9999 <14>2024-03-26T04:31:17Z esx-01 Vpxa: \x1b[2J<!channel> \ufeff\udcff".encode("utf-8", "replace").decode(),
)
_NEWS = re.compile(r"^#(?P<runs>\d+)\s+(?P<what>INITED|NEW|REDUCE|DONE|pulse)\s+cov: (?P<edges>\d+)", re.MULTILINE)
_UNCAUGHT = re.compile(r"^[\w.]*(?:Error|Exception|Interrupt)\b.*", re.MULTILINE)
_LONGEST = 64 * 1024
_ARCHIVED = 12  # cases that are also packed; more of them teach nothing new


@dataclass(frozen=True)
class Outcome:
    """`edges` at the beginning (after the seeds) and at the end, after `runs` inputs; `broken` is what was said."""

    runs: int
    seeds_edges: int
    edges: int
    broken: str

    def __str__(self) -> str:
        grown = f"{self.seeds_edges} edges after the seeds, {self.edges} after {self.runs} inputs"
        return grown + (f"; broken: {self.broken}" if self.broken else "; no promise broken")


def fuzz(target: str, *, seconds: int, folder: Path) -> Outcome:
    """Run one target for about so long; new inputs and failures go to `folder`."""
    corpus, seeds = folder / "corpus", folder / "seeds"
    corpus.mkdir(parents=True, exist_ok=True)
    seeds.mkdir(exist_ok=True)
    for number, data in enumerate(_seeds(target)):
        (seeds / f"{number:04}").write_bytes(data)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz.targets", target, str(corpus), str(seeds)),
            *(f"-max_total_time={seconds}", f"-max_len={_LONGEST}", "-timeout=20", "-rss_limit_mb=2048"),
            *("-len_control=20", f"-artifact_prefix={folder}/", "-print_final_stats=1", "-seed=7"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds + 300,
    )
    said = done.stdout + done.stderr
    (folder / "output.txt").write_text(said, encoding="utf-8")
    news = list(_NEWS.finditer(said))
    first = next((entry for entry in news if entry["what"] == "INITED"), None)
    return Outcome(
        runs=int(news[-1]["runs"]) if news else 0,
        seeds_edges=int(first["edges"]) if first else 0,
        edges=max((int(entry["edges"]) for entry in news), default=0),
        broken="" if done.returncode == 0 else _complaint(said),
    )


def _complaint(said: str) -> str:
    told = _UNCAUGHT.search(said)
    return told[0].strip() if told else (said.splitlines() or ["ended without a word"])[-1].strip()


def _seeds(target: str) -> Iterator[bytes]:
    if target == "rule":
        yield from (path.read_bytes() for path in sorted(RULES.glob("*.toml")))
        return
    if target == "syslog":
        yield from map(str.encode, SYSLOG_SEEDS)
        return
    logs = sorted(CASES.glob("*/*/*.log"))
    yield from (log.read_bytes() for log in logs)
    for log in logs[:_ARCHIVED]:
        yield from _packed(log)


def _packed(log: Path) -> Iterator[bytes]:
    data = log.read_bytes()
    yield gzip.compress(data, mtime=0)
    for mode in ("w:", "w:gz"):
        tarred = io.BytesIO()
        with tarfile.open(fileobj=tarred, mode=mode) as archive:
            archive.add(log, arcname=f"var/log/{log.name}")
        yield tarred.getvalue()
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(f"esx/{log.name}.FRAG-00000", data[: len(data) // 2])
        bundle.writestr(f"esx/{log.name}.FRAG-00001", data[len(data) // 2 :])
    yield zipped.getvalue()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("target", choices=["log", "rule", "syslog", "planted"])
    options.add_argument("--seconds", type=int, default=60)
    given = options.parse_args()
    folder = ROOT / f"build/fuzz-{given.target}"
    outcome = fuzz(given.target, seconds=given.seconds, folder=folder)
    text = f"{given.target}, {given.seconds} s: {outcome}"
    (ROOT / f"build/fuzz-{given.target}.txt").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
