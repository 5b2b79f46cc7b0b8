"""How vCenter spells names, and UUIDs that are the same at every start of a world. Words only."""

from __future__ import annotations

import re
import uuid

_ESCAPES = (("%", "%25"), ("/", "%2f"), ("\\", "%5c"))
_PLAIN = {code: plain for plain, code in _ESCAPES}
_ESCAPED = re.compile("|".join(_PLAIN), re.IGNORECASE)


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
