"""Bytes in words, one way everywhere: binary units with their proper names."""

from __future__ import annotations


def gib(size: float) -> str:
    """`1.5 GiB`, `512 MiB`, `0 MiB`: MiB below one GiB, TiB from 1024 GiB."""
    if abs(size) < 2**30:
        return f"{size / 2**20:.0f} MiB"
    if abs(size) < 2**40:
        return f"{size / 2**30:.1f} GiB"
    return f"{size / 2**40:.2f} TiB"
