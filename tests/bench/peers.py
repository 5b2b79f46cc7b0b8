"""Who `diagnose` is measured beside: ripgrep and insights-core in a venv of their own, and lnav where there is one.

They are installed when first needed, from a lock with hashes, and are no dependency of anything else.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE.parents[1] / "build" / "peers"
LOCK = HERE.parents[1] / ".ci" / "peers.lock"


def ripgrep() -> str:
    """The path of rg 14.1."""
    return str(_installed() / "rg")


def insights_python() -> str:
    """The Python that has insights-core."""
    return str(_installed() / "python")


def lnav() -> str | None:
    """The path of lnav, or None where the system has none."""
    return shutil.which("lnav")


def _installed() -> Path:
    done = VENV / "lock"
    if not done.exists() or done.read_bytes() != LOCK.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        command = [str(VENV / "bin/python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(LOCK)]
        subprocess.run(command, check=True)
        done.write_bytes(LOCK.read_bytes())
    return VENV / "bin"
