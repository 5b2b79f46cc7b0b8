"""Tables of TOML, read once and kept compiled beside Python's own compiled modules: TOML takes long to parse.

What is kept is only used while every file still has the size and time it had then; nobody has to refresh anything.
Where nothing can be written, the files are parsed each time: right, but slower.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
from collections.abc import Sequence
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

_VERSION = 1  # of what is kept


def tables(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the contents of TOML files of one folder, in their order. Raises what `tomllib` and the disk raise."""
    if not paths:
        return []
    kept = Path(cache_from_source(str(paths[0].parent / f"{paths[0].parent.name}-tables.py")))
    stamp = [_VERSION, *((path.name, (status := path.stat()).st_size, status.st_mtime_ns) for path in paths)]
    with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
        was, contents = marshal.loads(kept.read_bytes())  # noqa: S302 - as trustworthy as the compiled modules beside it
        if was == stamp:
            return list(contents)
    import tomllib  # noqa: PLC0415 - rarely needed

    contents = [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths]
    if not sys.dont_write_bytecode:
        _keep(kept, marshal.dumps((stamp, contents)))
    return contents


def _keep(file: Path, data: bytes) -> None:
    """Write all or nothing: another process may read at the same moment."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        draft.write_bytes(data)
        draft.replace(file)
