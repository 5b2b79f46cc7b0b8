"""The chart, rendered by Helm's own engine without a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import helm_python
import yaml

CHART = Path(__file__).parents[2] / "helm"
CASES = sorted(path.stem.removesuffix("-values") for path in (CHART / "ci").glob("*-values.yaml"))
WORKLOADS = {"Deployment", "Pod"}

Object = dict[str, Any]


def case(name: str) -> dict[str, Any]:
    """The values of `ci/<name>-values.yaml`."""
    found: dict[str, Any] = yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text("utf-8"))
    return found


def altered(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    """The values of a case, with `a.b.c` changed."""
    values = deepcopy(case(name))
    for path, value in changes.items():
        *folders, key = path.split(".")
        place = values
        for folder in folders:
            place = place.setdefault(folder, {})
        place[key] = value
    return values


def refusal(values: dict[str, Any]) -> str:
    """What Helm says against these values; empty if it takes them."""
    with helm_python.Chart.load(CHART) as chart:
        try:
            chart.validate_schema(values)
            chart.render(values, name="cm", namespace="tools")
        except helm_python.HelmError as error:
            return str(error)
    return ""


def rendered(values: dict[str, Any]) -> list[Object]:
    """Every object, `helm test`'s pod too."""
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render(values, name="cm", namespace="tools")
    texts = [text for name, text in sorted(files.items()) if name.endswith(".yaml")]
    return [found for text in texts for found in yaml.load_all(text, _Strict) if found]


def notes(values: dict[str, Any]) -> str:
    """What Helm tells after an installation."""
    with helm_python.Chart.load(CHART) as chart:
        return chart.render(values, name="cm", namespace="tools")["coldmigrate/templates/NOTES.txt"]


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """The name and pod spec of everything that runs."""
    for found in objects:
        if found["kind"] == "Deployment":
            yield found["metadata"]["name"], found["spec"]["template"]["spec"]
        elif found["kind"] == "Pod":
            yield found["metadata"]["name"], found["spec"]


def one(objects: list[Object], kind: str, name: str) -> Object:
    """The object of this kind and name."""
    (found,) = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    return found


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice, as a careful API server does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {name for name in names if names.count(name) > 1}
        assert not twice, f"{twice} stand twice"
        return super().construct_mapping(node, deep=deep)
