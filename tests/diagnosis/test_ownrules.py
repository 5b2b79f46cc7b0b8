"""Rules of one's own: where they are looked for, and what a worker does with faulty ones."""

from __future__ import annotations

import pytest

from bot import settings
from bot.compose import engine_of
from bot.diagnosis.engine import load_engine
from bot.diagnosis.ownrules import files_in, usable
from bot.errors import UserError

RULE = """\
id = "{name}"
title = "Something new"
status = "trial"
needles = ["flowguard: dropped {name}"]
cause = "nat"
confidence = 0.5
explanation = "It was dropped. Look there."
{more}
[[samples]]
text = "flowguard: dropped {name}"
[[near_misses]]
text = "flowguard: admitted {name}"
"""


@pytest.fixture
def folder(tmp_path):
    def write(name, more="", text=None):
        (tmp_path / f"{name}.toml").write_text(text or RULE.format(name=name, more=more), encoding="utf-8")
        return tmp_path

    return write


def test_files_and_folders_are_found_once_each(folder, tmp_path):
    folder("a-rule")
    folder("b-rule")
    assert [path.stem for path in files_in([tmp_path, tmp_path / "a-rule.toml"])] == ["a-rule", "b-rule"]


def test_nothing_there_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="holds no rule"):
        files_in([tmp_path])
    with pytest.raises(UserError, match="no rule file or folder at"):
        files_in([tmp_path / "missing"])


def test_a_sound_folder_is_used(folder):
    found = usable(folder("a-rule"))
    assert found.complaints == ()
    assert "a-rule" in load_engine(extra_rules=found.files).catalogue.rules


def test_a_faulty_file_goes_and_takes_with_it_who_names_it(folder):
    folder("good-rule")
    folder("faulty-rule", text="id = 3\n")
    folder("leaning-rule", more='explains = ["faulty-rule"]')
    found = usable(folder("leaning-on-that", more='explains = ["leaning-rule"]'))
    assert [path.stem for path in found.files] == ["good-rule"]
    assert any("faulty-rule.toml: title: Field required" in told for told in found.complaints)
    assert any("leaning-rule.toml: explains" in told for told in found.complaints)
    assert any("leaning-on-that.toml: explains" in told for told in found.complaints)
    load_engine(extra_rules=found.files)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[[[", b""])
def test_what_is_no_rule_at_all_goes(tmp_path, content):
    (tmp_path / "x.toml").write_bytes(content)
    found = usable(tmp_path)
    assert found.files == ()
    assert found.complaints


def test_no_folder_and_an_empty_one_stop_nobody(tmp_path):
    assert usable(None).complaints == ()
    assert "holds no rule" in usable(tmp_path).complaints[0]
    assert "no rule file or folder" in usable(tmp_path / "missing").complaints[0]


def test_a_worker_goes_on_without_a_faulty_file_and_says_so(folder, tmp_path, caplog):
    folder("good-rule")
    folder("faulty-rule", text="id = 3\n")
    (tmp_path / "config").mkdir()
    config = tmp_path / "config" / "coldmigrate.toml"
    config.write_text('[diagnosis]\nrules = ".."\n', encoding="utf-8")
    engine = engine_of(settings.load(config, {}))
    assert "good-rule" in engine.catalogue.rules
    assert "faulty-rule" not in engine.catalogue.rules
    assert "A rule of diagnosis.rules is left out" in caplog.text
    assert "faulty-rule.toml: title: Field required" in caplog.text
