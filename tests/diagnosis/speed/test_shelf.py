"""Tables that were kept are those of the files, whatever happened to files or to what was kept."""

from __future__ import annotations

import os

import pytest

from bot.diagnosis.shelf import tables

FIRST, SECOND = 'id = "a"\n', 'id = "b"\n'


@pytest.fixture(autouse=True)
def _writing(monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", False)


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / "1.toml", tmp_path / "2.toml"]
    paths[0].write_text(FIRST, encoding="utf-8")
    paths[1].write_text(SECOND, encoding="utf-8")
    assert ids(paths) == ["a", "b"]
    return paths


def ids(paths):
    return [table["id"] for table in tables(paths)]


def kept(paths):
    (file,) = (paths[0].parent / "__pycache__").iterdir()
    return file


def test_what_is_kept_is_used(files):
    file = kept(files)
    before, _, after = file.read_bytes().rpartition(b"b")  # the last one: a file's time may hold that byte too
    file.write_bytes(before + b"c" + after)
    assert "c" in str(tables(files))


def test_a_changed_file_is_read_again(files):
    files[1].write_text('id = "changed"\n', encoding="utf-8")
    assert ids(files) == ["a", "changed"]


def test_a_file_changed_within_its_size_is_read_again(files):
    before = files[1].stat().st_mtime_ns
    files[1].write_text('id = "z"\n', encoding="utf-8")
    os.utime(files[1], ns=(before + 1, before + 1))
    assert ids(files) == ["a", "z"]


def test_a_new_and_a_lost_file_are_seen(files):
    third = files[0].with_name("3.toml")
    third.write_text('id = "3"\n', encoding="utf-8")
    assert ids([*files, third]) == ["a", "b", "3"]
    assert ids(files[:1]) == ["a"]


@pytest.mark.parametrize("damage", [b"", b"\x00" * 30, b"\xe9\x02\x00\x00\x00", b"nonsense"])
def test_damage_to_what_is_kept_is_no_trouble(files, damage):
    kept(files).write_bytes(damage)
    assert ids(files) == ["a", "b"]


def test_where_nothing_can_be_written_it_is_right_all_the_same(tmp_path):
    path = tmp_path / "1.toml"
    path.write_text(FIRST, encoding="utf-8")
    (tmp_path / "__pycache__").write_text("in the way", encoding="utf-8")
    assert ids([path]) == ["a"]


def test_nothing_is_written_where_python_may_not_write_either(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    path = tmp_path / "1.toml"
    path.write_text(FIRST, encoding="utf-8")
    assert ids([path]) == ["a"]
    assert not (tmp_path / "__pycache__").exists()


def test_no_files_have_no_tables():
    assert tables([]) == []
