"""How vCenter spells names, UUIDs and MACs, and UUIDs that are the same at every start of a world. Words only."""

from __future__ import annotations

import re
import uuid

_ESCAPES = (("%", "%25"), ("/", "%2f"), ("\\", "%5c"))
_PLAIN = {code: plain for plain, code in _ESCAPES}
_ESCAPED = re.compile("|".join(_PLAIN), re.IGNORECASE)
_BETWEEN, _DIGITS = re.compile(r"[\s-]"), re.compile(r"[0-9a-fA-F]{32}")


def escaped(name: str) -> str:
    """Return a name as vCenter keeps it: percent, slash and backslash escaped (ManagedEntity.name, API reference)."""
    for plain, code in _ESCAPES:
        name = name.replace(plain, code)
    return name


def unescaped(name: str) -> str:
    """Undo `escaped`; a percent that begins no escape sequence stands for itself."""
    return _ESCAPED.sub(lambda found: _PLAIN[found[0].lower()], name)


def steady_uuid(*parts: object) -> str:
    """Make the same UUID from the same words, so that a world looks alike at every start."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(str(part) for part in parts)))


def spelled_uuid(plain: str) -> str:
    """Return a UUID as files of VMs have it: `56 4d ef 2d 3f d4 14 e2-2e 04 c5 34 3a ec ee 65` (KB 1541)."""
    digits = plain.replace("-", "").lower()
    pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
    return f"{' '.join(pairs[:8])}-{' '.join(pairs[8:])}"


def plain_uuid(text: str) -> str | None:
    """Read a UUID in any spelling, None where it is none."""
    digits = _BETWEEN.sub("", text)
    return str(uuid.UUID(digits)) if _DIGITS.fullmatch(digits) else None


def mac_of(digits: str) -> str:
    """Return a MAC as vCenter hands them out, from the digits of a UUID."""
    return f"00:50:56:{int(digits[:2], 16) & 0x3F | 0x80:02x}:{digits[2:4]}:{digits[4:6]}"
