"""A broken rule file is told what is wrong with it, all at once, and is never half loaded."""

from __future__ import annotations

import pytest

from bot.diagnosis.conditions import ConditionError, disklib_errno, parse_condition
from bot.diagnosis.engine import load_engine
from bot.diagnosis.event import SourceLine
from bot.diagnosis.formats import check_samples, load_formats, read_timestamp
from bot.diagnosis.patterns import any_of
from bot.diagnosis.rulefile import check_rule_files
from bot.errors import UserError

SOUND = {
    "id": '"own-rule"',
    "title": '"Our own"',
    "status": '"trial"',
    "needles": '["own failure"]',
    "match": "['own failure (?P<code>\\d+)']",
    "when": '["code == 7"]',
    "cause": '"client_defect"',
    "confidence": "0.9",
    "explanation": '"It failed with {code}. Mend it."',
    "samples": '[{ text = "own failure 7" }]',
    "near_misses": '[{ text = "own failure 8" }]',
}


@pytest.fixture
def rule_file(tmp_path):
    def write(name="own.toml", **changes):
        keys = {**SOUND, **changes}
        path = tmp_path / name
        path.write_text(
            "\n".join(f"{key} = {value}" for key, value in keys.items() if value is not None), encoding="utf-8"
        )
        return path

    return write


def complaints(*paths):
    return [f"{mistake.key}: {mistake.expected}" for mistake in check_rule_files(paths)]


def test_an_own_rule_counts_beside_the_shipped_ones(rule_file):
    engine = load_engine(extra_rules=[rule_file()])
    (incident,) = engine.diagnose_lines([SourceLine("x.log", 1, "an own failure 7")]).incidents
    assert (incident.cause, incident.explanation) == ("client_defect", "It failed with 7. Mend it.")
    assert not engine.diagnose_lines([SourceLine("x.log", 1, "an own failure 8")]).incidents


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"title": None}, "title: Field required"),
        ({"status": '"beta"'}, "status: Input should be 'stable' or 'trial'"),
        ({"needles": '["short"]'}, "needles.0: String should have at least 6 characters"),
        ({"needles": "[]"}, "needles: List should have at least 1 item"),
        ({"match": "['(']"}, "match: RE2 refuses '('"),
        ({"match": "['(?=x)']"}, "match: RE2 refuses"),
        ({"when": '["bytes is big"]'}, "when: 'bytes is big' is not one of the known conditions"),
        ({"when": '["code > many"]'}, "when: 'code > many' is not one of the known conditions"),
        ({"when": '["bytes > 1"]'}, "when: 'bytes > 1' needs a group (?P<bytes>)"),
        ({"cause": '"gremlins"'}, "cause: Input should be"),
        ({"cause": None}, "a decisive rule needs cause, confidence and explanation"),
        ({"role": '"symptom"'}, "only a decisive rule names a cause; this one is symptom"),
        ({"confidence": "1.5"}, "confidence: Input should be less than or equal to 1"),
        ({"samples": None}, "samples: Field required"),
        ({"samples": '[{ text = "own failure 8" }]'}, "samples: does not fit its own rule: own failure 8"),
        ({"near_misses": '[{ text = "own failure 7" }]'}, "near_misses: fits the rule it should miss"),
        ({"explains": '["no-such-rule"]'}, "explains: 'no-such-rule' is not known"),
        ({"workarounds": '["pray"]'}, "workarounds: 'pray' is not known"),
        ({"confirm_by": '["oracle"]'}, "confirm_by: 'oracle' is not known"),
        ({"severity": '"high"'}, "severity: Extra inputs are not permitted"),
    ],
)
def test_each_mistake_is_named_with_its_key(rule_file, changes, complaint):
    found = complaints(rule_file(**changes))
    assert any(complaint in line for line in found), found


def test_all_mistakes_of_all_files_come_at_once(rule_file, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("id = ", encoding="utf-8")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"id = '\xff'")
    paths = [
        rule_file("a.toml", title=None, status='"beta"'),
        broken,
        latin,
        tmp_path / "missing.toml",
        rule_file("b.toml"),
        rule_file("c.toml"),
    ]
    with pytest.raises(UserError) as refusal:
        load_engine(extra_rules=paths)
    text = str(refusal.value)
    for part in (
        "a.toml: title",
        "a.toml: status",
        "broken.toml: cannot be read",
        "latin.toml: cannot be read",
        "missing.toml: cannot",
        "c.toml: id: 'own-rule' is taken",
    ):
        assert part in text


def test_a_rule_may_not_take_a_shipped_name(rule_file):
    with pytest.raises(UserError, match="'disk-busy' is taken"):
        load_engine(extra_rules=[rule_file(id='"disk-busy"')])


@pytest.mark.parametrize(
    ("condition", "captured", "holds"),
    [
        ("bytes > 4096", {"bytes": "262040"}, True),
        ("bytes > 4096", {"bytes": "4096"}, False),
        ("bytes >= 0x1000", {"bytes": "4096"}, True),
        ("bytes < 10", {"bytes": "x"}, False),
        ("bytes < 10", {}, False),
        ("port != 902", {"port": "443"}, True),
        ("port <= 902", {"port": "902"}, True),
        ("errno == 16", {"code": "1048585"}, True),
        ("errno == 16", {"code": "16392"}, False),
        ("errno == 104", {"errno": "104", "code": "1048585"}, True),
        ("code == 2338", {"code": "2338"}, True),
    ],
)
def test_conditions(condition, captured, holds):
    assert parse_condition(condition).holds(captured) is holds


def test_a_condition_that_is_code_is_refused():
    with pytest.raises(ConditionError, match="as in 'bytes > 4096'"):
        parse_condition("__import__('os').system('x')")


def test_disk_library_numbers():
    assert (disklib_errno(393225), disklib_errno(1048585), disklib_errno(9), disklib_errno(290)) == (6, 16, None, None)


def test_no_needles_find_nothing():
    assert any_of([]).search(b"anything \x00\xff") is None


@pytest.mark.parametrize(
    ("stamp", "iso"),
    [
        ("2012-03-14 16:31:45.288", "2012-03-14T16:31:45.288000+00:00"),
        ("2014-11-04T15:53:31.075+05:30", "2014-11-04T10:23:31.075000+00:00"),
        ("2022-06-02T05:34:23Z", "2022-06-02T05:34:23+00:00"),
    ],
)
def test_times_are_utc(stamp, iso):
    assert read_timestamp(stamp).isoformat() == iso


@pytest.mark.parametrize("stamp", ["", "2022-13-02T05:34:23Z", "0001-01-01T00:00:00+05:00", "yesterday"])
def test_what_is_no_time_is_none(stamp):
    assert read_timestamp(stamp) is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("id = ", "not TOML"),
        ('title = "x"\npatterns = []\nsamples = [{ text = "x" }]', "id: missing"),
        ('id = "x"\ntitle = "x"\npatterns = ["("]\nsamples = [{ text = "x" }]', "patterns: "),
        ('id = "x"\ntitle = "x"\npatterns = ["(?P<colour>.)"]\nsamples = [{ text = "x" }]', "unknown group colour"),
        ('id = "x"\ntitle = "x"\npatterns = ["x"]\nsamples = []', "without a sample"),
    ],
)
def test_a_broken_grammar_is_named(tmp_path, content, complaint):
    (tmp_path / "own.toml").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=rf"own\.toml.*{complaint}"):
        load_formats(tmp_path)


def test_a_sample_that_is_read_otherwise_is_told(tmp_path):
    (tmp_path / "own.toml").write_text(
        'id = "x"\ntitle = "x"\npatterns = ["(?P<severity>.)"]\n'
        'samples = [{ text = "ab", severity = "b", timestamp = "now" }, { text = "" }]',
        encoding="utf-8",
    )
    told = check_samples(load_formats(tmp_path))
    assert told == [
        "format x: severity is 'a', expected 'b': ab",
        "format x: timestamp is None, expected 'now': ab",
        "format x: read by no grammar: ",
    ]
