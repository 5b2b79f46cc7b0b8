"""Which product wrote a file, and in which version: the line that a new file or a new process begins with says it."""

from __future__ import annotations

from functools import cache

from bot.diagnosis.patterns import Pattern, compile_pattern
from bot.diagnosis.printable import whole_text
from bot.diagnosis.records import dataclass

# One of these is in every such line; whoever reads few lines can look for them as for needles.
PRODUCT_NEEDLES = (" for VMware ", "VMware VixDiskLib ")
_HEAD = 2048
_UNBUILT = "0"  # what builds of a developer's own print


@dataclass(frozen=True, slots=True)
class Product:
    """`name` as printed: `VMware ESX`, `VMware VirtualCenter`, `VMware VixDiskLib`."""

    name: str
    version: str
    build: str | None = None


def product_of(text: str) -> Product | None:
    """Return what a section line, or the greeting of the disk library, says of its program; None for other lines."""
    if not any(needle in text for needle in PRODUCT_NEEDLES):
        return None
    head = whole_text(text[:_HEAD])
    found = next((match.groupdict() for pattern in _patterns() if (match := pattern.search(head))), None)
    if found is None:
        return None
    build = found["build"]
    return Product(found["name"] or "", found["version"] or "", None if build == _UNBUILT else build)


@cache
def _patterns() -> tuple[Pattern, ...]:
    return (
        compile_pattern(
            r"(?:Log|Section) for (?P<name>VMware [\w .-]{1,40}?),? pid=[^\s,]+,? version=(?P<version>[\w.-]+)"
            r"(?:,? build=(?:build-)?(?P<build>\d+))?"
        ),
        compile_pattern(r"(?P<name>VMware VixDiskLib) \(?(?P<version>\d[\w.]*)\)? \w+ build-(?P<build>\d+)"),
    )
