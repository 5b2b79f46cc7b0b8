"""The order in which the files of a rotated log were written, told from their names. Pure."""

from __future__ import annotations

import re

_PACKED = re.compile(r"\.(gz|xz|bz2|zst|z)$", re.IGNORECASE)
_ENDING = re.compile(r"\.(log|txt|out)(?=$|\.\d+$)", re.IGNORECASE)
_COUNTED_BACK = re.compile(r"\.(\d{1,5})$")  # vpxa.2.gz, vmkernel.9, messages.1: the higher, the older
_COUNTED_ON = re.compile(r"[-.]([\d.T-]*\d)$")  # hostd-386.log, vmware-12.log, messages-20120314: the higher, the newer
_DIGITS = re.compile(r"\d+")

Rank = tuple[int, tuple[int, ...]]


def age(name: str) -> tuple[str, Rank]:
    """Return the set that a file belongs to, and a rank within it that grows with time.

    `vpxa.2.gz`, `vpxa.1.gz`, `vpxa.0.gz`, `vpxa.log`; `vmware-11.log`, `vmware-12.log`, `vmware.log`.
    """
    plain = _ENDING.sub("", _PACKED.sub("", name))
    if back := _COUNTED_BACK.search(plain):
        return plain[: back.start()], (0, (-int(back[1]),))
    if on := _COUNTED_ON.search(plain):
        return plain[: on.start()], (1, tuple(int(digits[:18]) for digits in _DIGITS.findall(on[1])))
    return plain, (2, ())
