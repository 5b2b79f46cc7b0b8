"""The roles of one machine, as a table: `serve` and `demo` supervise exactly these."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bot.cli.supervisor import Role

ROLES: Final = ("watch", "worker", "bot")
"""In the order in which they are stopped. The bot goes last: what the others say when they hand their work over is
posted, and until then people are answered. What they ask for meanwhile is in Redis, and done by the next worker."""

PORTS: Final = ("worker", "bot", "watch")
"""Who answers on the health port, on the next one, and on the one after that."""

COMMAND: Final = (sys.executable, "-m", "bot")
"""What starts a role, before its name."""


def our_roles(
    options: Sequence[str],
    *,
    extra: Mapping[str, Sequence[str]] | None = None,
    environment: Mapping[str, str] | None = None,
    logs: Path | None = None,
    command: Sequence[str] = COMMAND,
) -> list[Role]:
    """All roles with the same options, and by name with `extra` ones. Their logs go into the folder `logs`, if any."""
    return [
        Role(
            name,
            [*command, name, *options, *(extra or {}).get(name, ())],
            environment,
            logs / f"{name}.log" if logs else None,
        )
        for name in ROLES
    ]
