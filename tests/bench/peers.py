"""Who we are measured beside, in venvs of their own; and lnav where there is one.

They are installed when first needed, from locks with hashes, and are no dependency of anything else.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def ripgrep() -> str:
    """The path of rg 14.1."""
    return str(_installed("peers") / "rg")


def insights_python() -> str:
    """The Python that has insights-core."""
    return str(_installed("peers") / "python")


def queues_python() -> str:
    """The Python that has the other job queues."""
    return str(_installed("queue-peers") / "python")


def lnav() -> str | None:
    """The path of lnav, or None where the system has none."""
    return shutil.which("lnav")


def _installed(name: str) -> Path:
    venv, lock = ROOT / "build" / name, ROOT / ".ci" / f"{name}.lock"
    done = venv / "lock"
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        command = [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
        subprocess.run(command, check=True)
        done.write_bytes(lock.read_bytes())
    return venv / "bin"
