"""`coldmigrate rules list` and `rules check`, as their users run them, and the catalogue they write."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.commands import cli
from bot.diagnosis.report.catalogue import REFRESH
from bot.diagnosis.rules import load_catalogue

ROOT = Path(__file__).parents[2]
OWN = """\
id = "flowguard-dropped"
title = "The filter dropped it"
status = "{status}"
needles = ["{needle}"]
cause = "{cause}"
confidence = 0.5
explanation = "It was dropped. Look there."
[[samples]]
text = "flowguard: dropped 902"
[[near_misses]]
text = "flowguard: admitted 902"
"""


def run(*arguments):
    return CliRunner().invoke(cli, ["rules", *map(str, arguments)])


@pytest.fixture
def own(tmp_path):
    def write(*, status="trial", needle="flowguard: dropped", cause="nat"):
        path = tmp_path / "rules" / "own.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(OWN.format(status=status, needle=needle, cause=cause), encoding="utf-8")
        return path

    return write


def test_the_catalogue_is_what_the_rules_say():
    lagging = f"docs/causes.md lags behind the rules; refresh it: {REFRESH}"
    assert run("list", "--format", "markdown").stdout == (ROOT / "docs/causes.md").read_text(encoding="utf-8"), lagging


def test_every_rule_is_listed_in_every_form():
    names = set(load_catalogue().rules)
    text = run("list").stdout
    assert {line.split()[0] for line in text.splitlines()[1:]} == names
    assert {rule["id"] for rule in json.loads(run("list", "--format", "json").stdout)} == names
    page = run("list", "--format", "markdown").stdout
    assert [name for name in names if f"### {name}\n" not in page and f"| `{name}` |" not in page] == []


def test_one_cause_can_be_asked_for():
    rules = json.loads(run("list", "--cause", "packet_loss", "--format", "json").stdout)
    assert {rule["cause"] for rule in rules} == {"packet_loss"}
    assert json.loads(run("list", "--cause", "unwinding", "--format", "json").stdout)


def test_a_cause_that_is_none_is_told_with_what_was_meant():
    told = run("list", "--cause", "packet_lost")
    assert "Did you mean packet_loss?" in str(told.exception)


def test_own_rules_are_listed_beside_the_shipped_ones(own):
    assert "flowguard-dropped" in run("list", "--rules", own()).stdout
    assert "flowguard-dropped" in run("list", "--rules", own().parent).stdout


def test_the_list_can_be_written_to_a_file(tmp_path):
    assert run("list", "--format", "json", "--output", tmp_path / "x.json").exit_code == 0
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))


def test_the_shipped_rules_are_sound():
    told = run("check")
    assert (told.exit_code, told.stderr) == (0, ""), told.stdout
    assert re.match(r"\d+ rules are sound: samples fit, .* \d+ recorded cases are told, ", told.stdout)


def test_own_rules_are_checked_by_file_and_by_folder(own):
    for place in (own(), own().parent):
        told = run("check", place)
        assert told.exit_code == 0, told.stdout
        assert "rules are sound, 1 of them your own" in told.stdout


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"cause": "the moon"}, "own.toml: cause: Input should be"),
        ({"needle": "[Originator@6876"}, "own.toml: samples: does not fit its own rule: flowguard: dropped 902"),
        ({"needle": "flowguard: "}, "own.toml: near_misses: fits the rule it should miss: flowguard: admitted 902"),
        ({"status": "stable"}, "own.toml: status: a stable rule needs a recorded case"),
        ({"needle": "short"}, "own.toml: needles.0: "),
    ],
)
def test_a_mistake_is_told_with_file_and_key(own, wrong, told):
    result = run("check", own(**wrong))
    assert result.exit_code == 2
    assert told in result.stdout
    assert "mistake" in result.stderr


def test_a_greedy_needle_is_told_with_its_rate(own):
    path = own(needle="session ")
    text = path.read_text(encoding="utf-8").replace("flowguard: dropped 902", "session dropped").replace(
        "flowguard: admitted 902", "a near miss"
    )  # fmt: skip
    path.write_text(text, encoding="utf-8")
    result = run("check", path)
    assert result.exit_code == 2
    assert re.search(r"needles: 'session ' is in \d+\.\d% of ordinary lines, and 0\.5% is the most", result.stdout)
    assert "match: fits a line of a healthy log" in result.stdout


def test_a_taken_id_is_told(own):
    path = own()
    path.write_text(
        path.read_text(encoding="utf-8").replace("flowguard-dropped", "dest-out-of-space"), encoding="utf-8"
    )
    assert "'dest-out-of-space' is taken by another rule" in run("check", path).stdout


def test_all_mistakes_of_all_files_are_told_at_once(own):
    own(cause="the moon")
    (own(cause="the moon").parent / "second.toml").write_text("id = 'Bad Id'\n", encoding="utf-8")
    told = run("check", own(cause="the moon").parent).stdout
    assert "own.toml: cause" in told
    assert "second.toml: id" in told
    assert "second.toml: title: Field required" in told


def test_a_stable_rule_with_its_case_is_sound(own):
    path = own(status="stable")
    case = path.parent / "cases/flowguard-dropped/one"
    case.mkdir(parents=True)
    (case / "client.log").write_text("flowguard: dropped 902\n", encoding="utf-8")
    (case / "expect.toml").write_text('source = "invented"\ncause = "nat"\n', encoding="utf-8")
    assert run("check", path.parent).exit_code == 0
    (case / "expect.toml").write_text('source = "invented"\ncause = "dest_full"\n', encoding="utf-8")
    assert "dest_full was recorded, and nat is told" in run("check", path.parent).stdout


def test_without_a_path_the_folder_of_the_config_is_checked(own, tmp_path, monkeypatch):
    own(cause="the moon")
    (tmp_path / "coldmigrate.toml").write_text('[diagnosis]\nrules = "rules"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "own.toml: cause" in run("check").stdout


def test_a_place_without_rules_is_a_sentence(tmp_path):
    assert "holds no rule" in str(run("check", tmp_path).exception)
    assert "no rule file or folder at" in str(run("check", tmp_path / "missing").exception)
