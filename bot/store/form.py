"""Which form of data this program reads and writes, and how its connections say so."""

from __future__ import annotations

from typing import Final

FORM: Final = 2
"""Raised with every change that an older program could not live with; `schema.STEPS` then gets one more."""

PROGRAM: Final = "coldmigrate"

CONNECTION_NAME: Final = f"{PROGRAM}/{FORM}"
"""Seen in CLIENT LIST; programs before form 2 gave none."""
