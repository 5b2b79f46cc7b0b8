"""What a host's shell is asked to do: ESXi's busybox from 6.7 on, and any other `sh`. Pure.

Only what all of them have: no GNU options, `ls -liL` for a file's number and size, `tail -c +N -f`. Statuses of our own
say what was found. The shell of a host is small and its processes are counted, so two short ones a second is the most.
"""

from __future__ import annotations

import shlex
from enum import IntEnum
from typing import Final

from bot.logs.shelf import OLDEST


class Found(IntEnum):
    """How a script ended."""

    DONE = 0
    MISSING = 4
    TAIL_ENDED = 5
    UNREADABLE = 6
    REPLACED = 7
    CUT = 8
    NO_NUMBERS = 9


_CHECK: Final = f'[ -e "$f" ] || exit {Found.MISSING}; [ -r "$f" ] || exit {Found.UNREADABLE}'


def size(path: str) -> str:
    """Print how long a file is."""
    return f'f={shlex.quote(path)}; {_CHECK}; set -- $(ls -lL "$f"); [ -n "$5" ] || exit {Found.NO_NUMBERS}; echo "$5"'


def older(stem: str) -> str:
    """Print how many packed older files there are."""
    return f'f={shlex.quote(stem)}; i=0; while [ -e "$f.$i.gz" ] && [ $i -lt {OLDEST} ]; do i=$((i+1)); done; echo $i'


def show(path: str, *, start: int = 0) -> str:
    """Print a file from that byte on, as far as it goes now."""
    reading = f"exec tail -c +{start + 1}" if start else "exec cat"
    return f'f={shlex.quote(path)}; {_CHECK}; {reading} "$f"'


def follow(path: str, *, start: int, every: str) -> str:
    """Print a file from that byte on, and all that is written to it, until another one has its name.

    That is what `tail -F` is for; but busybox's leaves the old file without reading the rest of it, and none says where
    the old one ends and the new one begins. So tail stays with the file, and this script looks whether the name does.
    What was read of an old file is checked against the packed one afterwards: nothing depends on who is quicker.

    The script and its tail end when its input does, so that a lost connection leaves nothing behind on the host.
    """
    return f"""f={shlex.quote(path)}; {_CHECK}
exec 3<&0 </dev/null
look() {{ set -- $(ls -liL "$f" 2>/dev/null); number=$1; size=${{6:-0}}; }}
look; was=$number; had=$size
[ -n "$was" ] || exit {Found.NO_NUMBERS}
tail -c +{start + 1} -f "$f" 2>/dev/null 3<&- &
tail=$!
{{ cat <&3; kill $tail $$; }} >/dev/null 2>&1 &
exec 3<&-
while kill -0 $tail 2>/dev/null; do
  sleep {every}
  look
  if [ "$number" != "$was" ]; then sleep {every}; kill $tail; exit {Found.REPLACED}; fi
  if [ "$size" -lt "$had" ]; then kill $tail; exit {Found.CUT}; fi
  had=$size
done
exit {Found.TAIL_ENDED}
"""
