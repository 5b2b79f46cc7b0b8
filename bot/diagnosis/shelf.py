"""What takes long to make, such as tables of TOML, is kept beside Python's own compiled modules and trusted like them.

What is kept is only used while all that it was made from is as it was then; nobody has to refresh anything. Where
nothing can be written, it is made each time: right, but slower.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

_VERSION = 1  # of what is kept


def tables(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the contents of TOML files of one folder, in their order. Raises what `tomllib` and the disk raise."""
    if not paths:
        return []
    stamp = [(path.name, (status := path.stat()).st_size, status.st_mtime_ns) for path in paths]
    return list(kept(paths[0].parent / f"{paths[0].parent.name}-tables", stamp, lambda: _parsed(paths)))


def kept(name: Path, stamp: list[Any], make: Callable[[], Any]) -> Any:
    """Return what was once made under this name, or make it if the stamp is another now. Plain values only."""
    file = Path(cache_from_source(f"{name}.py"))
    with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
        was, value = marshal.loads(file.read_bytes())  # noqa: S302 - as trustworthy as the compiled modules beside it
        if was == [_VERSION, *stamp]:
            return value
    value = make()
    if not sys.dont_write_bytecode:
        _keep(file, marshal.dumps(([_VERSION, *stamp], value)))
    return value


def _parsed(paths: Sequence[Path]) -> list[dict[str, Any]]:
    import tomllib  # noqa: PLC0415 - rarely needed

    return [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths]


def _keep(file: Path, data: bytes) -> None:
    """Write all or nothing: another process may read at the same moment."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        draft.write_bytes(data)
        draft.replace(file)
