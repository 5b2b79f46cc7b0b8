"""A rendered pod on the ground: its command as a plain process, its mounts as folders, its secrets as files.

What the kubelet would do, done here: volumes filled, variables taken from secrets, probes asked. A process sees what
the image and the manifest give it and nothing of the test's own environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helm.charts import CHART, Object

Stored = Mapping[str, Mapping[str, str]]
"""Secrets or config maps: name, key, value."""


@dataclass
class Grounded:
    """A container that runs."""

    process: asyncio.subprocess.Process
    container: Object
    spec: Object
    log: Path

    @property
    def port(self) -> int:
        return int(self.container["ports"][0]["containerPort"])

    def path(self, probe: str) -> str:
        """Where this probe asks."""
        return str(self.container[f"{probe}Probe"]["httpGet"]["path"])

    @property
    def grace(self) -> float:
        return float(self.spec["terminationGracePeriodSeconds"])


@asynccontextmanager
async def grounded(spec: Object, root: Path, *, secrets: Stored, configs: Stored) -> AsyncIterator[Grounded]:
    """Run the only container of a pod, with everything it mounts below `root`."""
    (container,) = spec["containers"]
    mounts = {mount["mountPath"]: root / mount["mountPath"].lstrip("/") for mount in container["volumeMounts"]}

    mounted = re.compile(rf"(?<![\w/-])({'|'.join(map(re.escape, mounts))})(?=[/\"'\s]|$)")

    def here(text: str) -> str:
        return mounted.sub(lambda found: str(mounts[found[1]]), text)

    for mount in container["volumeMounts"]:
        (volume,) = [one for one in spec["volumes"] if one["name"] == mount["name"]]
        _fill(mounts[mount["mountPath"]], _contents(volume, secrets, configs), here)
    environment = {name: here(value) for name, value in image_environment().items()} | _variables(container, secrets)
    log = root / "log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("coldmigrate")), *map(here, container["args"]),
            env=environment, cwd=mounts["/tmp"], stdout=file, stderr=file,
        )  # fmt: skip
    try:
        yield Grounded(process, container, spec, log)
    except BaseException:
        sys.stderr.write(log.read_text("utf-8")[-4000:])
        raise
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def image_environment() -> dict[str, str]:
    """What the image sets, but its PATH: the program is the checkout's."""
    stage = (CHART.parent / "Dockerfile").read_text("utf-8").rpartition("\nFROM ")[2]
    (block,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", stage, re.MULTILINE)
    pairs = dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())
    return {name: value for name, value in pairs.items() if name != "PATH"} | {"PATH": "/usr/bin:/bin"}


def _variables(container: Object, secrets: Stored) -> dict[str, str]:
    found = {}
    for one in container.get("env", []):
        reference = one.get("valueFrom", {}).get("secretKeyRef")
        found[one["name"]] = secrets[reference["name"]][reference["key"]] if reference else one["value"]
    return found


def _contents(volume: Object, secrets: Stored, configs: Stored) -> Mapping[str, str]:
    if "emptyDir" in volume:
        return {}
    source: dict[str, Any] = volume.get("secret") or volume["configMap"]
    stored = secrets[source["secretName"]] if "secret" in volume else configs[source["name"]]
    if "items" not in source:
        return stored
    return {item["path"]: stored[item["key"]] for item in source["items"]}


def _fill(folder: Path, contents: Mapping[str, str], here: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_text(here(text), "utf-8")
