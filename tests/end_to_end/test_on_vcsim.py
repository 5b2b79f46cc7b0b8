"""The successful relocation again, against a vCenter that nobody here wrote: govmomi's simulator."""

from __future__ import annotations

from tests.end_to_end.plant import Target, buttons, plant, text_of
from tests.vcsim.vcsim import Vcsim

SITES = """
[sites.site1]
vcenter = "east"
datacenter = "DC0"
cluster = "DC0_C0"
datastore = "LocalDS_0"
[sites.site2]
vcenter = "east"
datacenter = "DC1"
cluster = "DC1_C0"
datastore = "LocalDS_0"
networks = { "DVPG0" = "VM Network" }
"""
VM = "DC0_C0_RP0_VM0"


async def test_command_to_final_reply(tmp_path, valkey_url):
    with Vcsim() as vcsim:
        target = Target(f"https://{vcsim.host}:{vcsim.port}", vcsim.cert, vcsim.user, vcsim.password, SITES)
        async with plant(tmp_path, target, valkey_url) as stage:
            await stage.start_bot()
            await stage.start_worker()
            await stage.inventory()
            await stage.type(f"/coldmigrate {VM} site2")
            card = await stage.card(showing="waiting for approval")
            assert "cm.approve" in buttons(card), text_of(card)
            await stage.click(card, "cm.approve")
            end = text_of(await stage.reply(await stage.card(showing="done"), saying=f"{VM} is at site2"))
            assert "DC1_C0_H" in end
            assert f"[LocalDS_0] {VM}/{VM}.vmx" in end
