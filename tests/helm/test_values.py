"""What values are taken and what is refused: every key is known, no unknown one is, contradictions get a sentence."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.helm import readme
from tests.helm.charts import CASES, CHART, altered, case, refusal

SCHEMA = json.loads((CHART / "values.schema.json").read_text("utf-8"))
OPEN = {"texts", "labels", "passedOn"}
"""Definitions that take any key: labels, annotations, and what is Kubernetes' own."""


def resolved(schema):
    while "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    return schema


def tables(schema, path=""):
    """Every object that a schema describes, with its place."""
    if "oneOf" in schema:
        for choice in schema["oneOf"]:
            yield from tables(choice, path)
    if schema.get("type") == "object":
        yield path, schema
    for key, inner in schema.get("properties", {}).items():
        yield from tables(inner, f"{path}.{key}")
    if "items" in schema:
        yield from tables(schema["items"], f"{path}[]")


def test_every_object_is_closed_but_labels_and_what_is_passed_on():
    described = [*tables(SCHEMA), *((f"#{n}", s) for n, d in SCHEMA["definitions"].items() for _, s in tables(d))]
    opened = {path for path, schema in described if schema.get("additionalProperties") is not False}
    assert opened == {f"#{name}" for name in OPEN} | {".global"}


def keys(values, path=""):
    for key, value in values.items():
        yield f"{path}{key}"
        if isinstance(value, dict):
            yield from keys(value, f"{path}{key}.")


DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))


def maps(schema, values, path=""):
    """Every closed map of values.yaml."""
    yield path
    for key, value in values.items():
        inner = resolved(schema["properties"][key])
        if isinstance(value, dict) and inner.get("additionalProperties") is False:
            yield from maps(inner, value, f"{path}{key}.")


@pytest.mark.parametrize("path", list(maps(SCHEMA, DEFAULTS)))
def test_an_unknown_key_is_refused_with_its_name(path):
    assert "surprise" in refusal(altered("minimal", {f"{path}surprise": 1}))


def wrong(value):
    return "no" if isinstance(value, bool | int | dict | list) else {"a": 1}


@pytest.mark.parametrize("key", [one.key for one in readme.values()])
def test_every_key_is_described_and_refuses_a_wrong_type(key):
    place, schema = DEFAULTS, SCHEMA
    for word in key.split("."):
        place, schema = place[word], resolved(resolved(schema)["properties"][word])
    bad = [] if key == "tmpSizeLimit" or key.endswith(("maxUnavailable", "maxSurge")) else wrong(place)
    assert refusal(altered("minimal", {key: bad})), key


def test_the_schema_describes_what_there_is_and_nothing_else():
    def known(schema, path=""):
        for key, inner in resolved(schema).get("properties", {}).items():
            yield f"{path}{key}"
            yield from known(inner, f"{path}{key}.")

    closed = {key for key in known(SCHEMA) if not key.startswith("global") and ".resources." not in key}
    assert {key for key in keys(DEFAULTS) if ".resources." not in key} == closed


@pytest.mark.parametrize("name", CASES)
def test_the_values_of_ci_are_taken(name):
    assert refusal(case(name)) == ""


CONTRADICTIONS = {
    "config and existingConfigMap are both given": {"existingConfigMap": "other"},
    "config is empty": {"config": ""},
    "config holds a Slack token": {"config": '[slack]\napp_token = "xapp-1-A"\n'},
    "slack.existingSecret is empty": {"slack.existingSecret": ""},
    "vcenters.existingSecret is empty": {"vcenters.existingSecret": ""},
    "the bot must not hold vCenters' passwords": {"vcenters.existingSecret": "coldmigrate-slack"},
    "workers read the one and must not hold the other": {"redis.existingSecret": "coldmigrate-slack"},
    "Nothing says where Redis is": {"redis.existingSecret": ""},
    "caBundle.configMap and caBundle.secret are both given": {"caBundle.configMap": "a", "caBundle.secret": "b"},
    "serviceAccount.create is false and serviceAccount.name is empty": {"serviceAccount.create": False},
    "no rollout could ever begin": {"strategy.maxSurge": 0},
    "podDisruptionBudget.maxUnavailable is 0": {"podDisruptionBudget.maxUnavailable": 0},
    "watchers must not hold Slack's tokens": {"watcher.existingSecret": "coldmigrate-slack"},
    "nobody would answer": {"watcher.enabled": False, "watcher.syslog.enabled": True},
    "opens no port": {"watcher.syslog.enabled": True, "watcher.syslog.udpPort": 0, "watcher.syslog.tcpPort": 0},
    "watcher.syslog.tlsSecret is empty": {"watcher.syslog.enabled": True, "watcher.syslog.tlsPort": 6514},
    "bot.extraEnv holds a Slack token": {"bot.extraEnv": [{"name": "T", "value": "xoxb-1-2"}]},
}


@pytest.mark.parametrize("sentence", CONTRADICTIONS)
def test_what_contradicts_itself_gets_a_sentence(sentence):
    assert sentence in refusal(altered("minimal", CONTRADICTIONS[sentence]))


def test_every_refusal_of_the_chart_is_tried():
    assert (CHART / "templates/_checks.tpl").read_text("utf-8").count("fail ") == len(CONTRADICTIONS)


@pytest.mark.parametrize(
    "changes",
    [
        {"bot.replicas": 10},
        {"health.port": 80},
        {"watcher.syslog.udpPort": 514},
        {"securityContext.runAsUser": 0},
        {"image.digest": "sha256:abc"},
        {"image.pullPolicy": "Sometimes"},
        {"worker.resources": {"limits": {"memory": "much"}}},
        {"worker.podLabels": {"app.kubernetes.io/component": "bot"}},
        {"worker.extraEnv": [{"value": "nameless"}]},
        {"tmpSizeLimit": ""},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_could_not_work_is_refused(changes):
    assert refusal(altered("minimal", changes))
