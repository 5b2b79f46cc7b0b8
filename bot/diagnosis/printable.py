"""Text of strangers made safe to show: a log line may try to steer a terminal, reorder text or hide itself."""

from __future__ import annotations

import os
from pathlib import Path

# C0 (but tab), DEL, C1, the line and paragraph separators, and everything that reorders or hides text.
_UNSAFE = (
    *range(9), *range(0xA, 0x20), *range(0x7F, 0xA0),
    0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF,
    *range(0xE0000, 0xE0080),
)  # fmt: skip
_VISIBLE = {code: f"\\x{code:02x}" if code <= 0xFF else f"\\u{{{code:x}}}" for code in _UNSAFE}  # noqa: PLR2004 - one byte


def printable(text: str) -> str:
    r"""Return one line in which every control or hiding character is spelled out, as in ``\\x1b``."""
    return whole_text(text).translate(_VISIBLE)


def whole_text(text: str) -> str:
    """Return `text` without lone surrogates, which neither JSON readers nor RE2 accept."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def file_name(path: Path | str) -> str:
    """Return a path as text, even where its bytes are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
