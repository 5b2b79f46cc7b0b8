"""Commands are filled with what is known, and nothing that a stranger named can escape its word."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.diagnosis.facts import DiskFacts, Facts
from bot.diagnosis.template import fill, fill_quoted
from bot.diagnosis.workarounds import load_workarounds

FACTS = Facts(
    vm="web 01",
    source_host="esx-01.example.net",
    destination_host="esx-02.example.net",
    source_datastore="ds-1",
    destination_datastore="ds-2",
    source_folder="web 01",
    destination_folder="web 01_1",
    disks=(
        DiskFacts(descriptor="[ds-1] web 01/web 01.vmdk", flat_bytes=42949672960, thin=True),
        DiskFacts(descriptor="[ds-9] web 01/web 01.vmdk", flat_bytes=1048576),
    ),
)
HOSTILE = "x'; touch /tmp/owned; $(reboot) `id` \"&& rm -rf / #"


def commands(name, facts):
    return load_workarounds()[name].fill(facts).commands


def test_the_ssh_copy_names_hosts_sizes_and_paths():
    lines = commands("ssh-gzip", FACTS)
    assert not any("<" in line for line in lines)
    created = [line for line in lines if "vmkfstools -c" in line]
    assert shlex.split(created[0]) == [
        "ssh",
        "root@esx-02.example.net",
        "vmkfstools -c 42949672960b -d thin '/vmfs/volumes/ds-2/web 01_1/web 01.vmdk'",
    ]
    (copied, _) = [line for line in lines if "gunzip" in line]
    left, right = shlex.split(copied)[2], shlex.split(copied)[6]
    assert shlex.split(left) == ["gzip", "-1", "-c", "/vmfs/volumes/ds-1/web 01/web 01-flat.vmdk"]
    assert "of=/vmfs/volumes/ds-2/web 01_1/web 01-flat.vmdk" in shlex.split(right)
    assert "conv=notrunc" in right


def test_two_disks_of_one_name_do_not_overwrite_each_other():
    written = [shlex.split(shlex.split(line)[2])[-1] for line in commands("ssh-gzip", FACTS) if "vmkfstools -c" in line]
    assert written == ["/vmfs/volumes/ds-2/web 01_1/web 01.vmdk", "/vmfs/volumes/ds-2/web 01_1/web 01_2.vmdk"]


def test_without_facts_placeholders_stay_visible():
    text = "\n".join(commands("ssh-gzip", Facts()))
    for name in (
        "<source-host>",
        "<destination-host>",
        "<source-datastore>",
        "<destination-folder>",
        "<disk>-flat.vmdk",
        "<flat-bytes>",
    ):
        assert name in text
    assert "<vm>" in "\n".join(commands("https-lease", Facts()))


def test_half_known_facts_fill_half():
    facts = Facts(destination_datastore="ds-2", disks=(DiskFacts(descriptor="not a datastore path"),))
    text = "\n".join(commands("ssh-gzip", facts))
    assert "/vmfs/volumes/ds-2/<destination-folder>" in text
    assert "/vmfs/volumes/<source-datastore>/<source-folder>/<disk>-flat.vmdk" in text


@pytest.mark.parametrize("name", sorted(load_workarounds()))
def test_every_workaround_says_what_to_do_and_to_mind(name):
    way = load_workarounds()[name].fill(Facts())
    assert way.steps
    assert way.caveat
    assert way.executable is False
    assert "{" not in "".join((*way.steps, *way.commands, way.caveat))


@pytest.mark.parametrize("value", [HOSTILE, "it's", "a\nb", "$HOME", "-rf", "a!b'c", "\\'"])
def test_a_hostile_name_stays_one_word_in_a_real_shell(value):
    echoed = subprocess.run(
        ["/bin/sh", "-c", fill_quoted("printf %s {x}", {"x": value})], capture_output=True, check=True
    )
    assert echoed.stdout.decode() == value
    inner = fill_quoted("printf %s {x}", {"x": value})
    nested = subprocess.run(
        ["/bin/sh", "-c", fill_quoted("sh -c {inner}", {"inner": inner})], capture_output=True, check=True
    )
    assert nested.stdout.decode() == value


def test_a_hostile_vm_cannot_break_out_of_any_command():
    facts = Facts(
        vm=HOSTILE,
        source_host=HOSTILE,
        destination_host="esx-02",
        source_datastore="ds-1",
        destination_datastore="ds-2",
        source_folder=HOSTILE,
        destination_folder=HOSTILE,
        disks=(DiskFacts(descriptor=f"[ds-1] {HOSTILE}/{HOSTILE}.vmdk", flat_bytes=1),),
    )
    for name in load_workarounds():
        for line in commands(name, facts):
            outer = shlex.split(line)
            assert "touch" not in outer
            for word in outer:
                assert "reboot" not in word or HOSTILE in word or HOSTILE in " ".join(shlex.split(word))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
def test_any_value_is_one_word(value):
    assert shlex.split(fill_quoted("a {x} b", {"x": value})) == ["a", value, "b"]


def test_values_are_not_templates():
    assert fill("{a} {b}", {"a": "{b}", "b": "2"}) == "{b} 2"
    assert fill("{unknown_thing}", {}) == "<unknown-thing>"
