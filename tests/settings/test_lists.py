"""The saved lists of the config, and every way to write one wrongly."""

from __future__ import annotations

import pytest

from bot import settings
from bot.errors import UserError


@pytest.fixture
def load(tmp_path):
    def read(text: str):
        file = tmp_path / "coldmigrate.toml"
        file.write_text(text, encoding="utf-8")
        return settings.load(file, {})

    return read


def test_a_list_names_its_vms_in_order(load):
    found = load('[lists]\nweb-tier = ["web02", "web01"]\n"db_1.x" = ["/DC1/vm/Old/db 01"]\n')
    assert found.lists == {"web-tier": ("web02", "web01"), "db_1.x": ("/DC1/vm/Old/db 01",)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lists = 3", "lists: expected"),
        ("[lists]\nweb = []", 'lists.web: expected 1 to 200 names of VMs, ["web01", "web02"]'),
        (f"[lists]\nweb = {[f'w{n}' for n in range(201)]}", "lists.web: expected 1 to 200 names"),
        ('[lists]\nweb = "web01"', "lists.web: expected 1 to 200 names"),
        ('[lists]\nweb = ["web01", 3]', "lists.web[2]: expected 1 to 200 names"),
        ('[lists]\nweb = [""]', "lists.web[1]: expected 1 to 200 names"),
        ('[lists]\nweb = ["web01", "web02", "web01"]', 'lists.web: expected each VM once, found "web01" 2 times'),
        ('[lists]\n"web tier" = ["web01"]', "lists.web tier: expected a name of letters"),
        ('[lists]\nweb = ["a"]\nWEB = ["a"]', "lists.WEB: expected a name of its own"),
    ],
)
def test_a_mistake_is_told_with_its_place(load, text, said):
    with pytest.raises(UserError) as caught:
        load(text)
    assert f"  {said}" in str(caught.value)
