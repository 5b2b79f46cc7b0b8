"""What is predicted from read facts is how played hosts then copy: two readings of KB 340170 that must agree."""

from __future__ import annotations

import tomllib

import pytest

from bot.migration.path import predict_path
from bot.migration.request import SiteName, VCenterName
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from bot.vsphere.vcenter import PyvmomiVCenter
from tests.operations.test_survey import SITES
from tests.worlds import TWO_SITES

EAST = VCenterName("east")
VM = '[[vms]]\nname = "web01"\nsite = "site1"\nhost = 1\ndisks = ["1 GiB thin 10 MiB"]\n'


def world(*, here="none", there="none", routes=(), version="8.0.3", stretched=False):
    text = TWO_SITES.replace('version = "8.0.3"', f'version = "{version}"') + VM
    made = tomllib.loads(text)
    made["sites"][0] |= {"provisioning": here, "routes": list(routes)}
    made["sites"][1] |= {"provisioning": there}
    made["links"][0]["provisioning_stretched"] = stretched
    return World.model_validate(made)


WORLDS = {
    "NFC via vmk0": [
        world(),
        world(here="interface", there="interface", version="7.0.3"),
        world(there="interface", version="7.0.3"),
    ],
    "NFC via vmk2": [
        world(here="interface", there="interface", version="7.0.3", stretched=True),
        world(here="interface", there="interface", version="7.0.3", routes=("site2",)),
        world(here="stack", there="stack", version="7.0.3"),
    ],
    "UDT via vmk1": [
        world(here="stack", there="stack"),
        world(here="interface", there="interface"),
    ],
}


@pytest.mark.parametrize(
    ("words", "played"),
    [(words, one) for words, worlds in WORLDS.items() for one in worlds],
    ids=[f"{words} {number}" for words, worlds in WORLDS.items() for number in range(len(worlds))],
)
async def test_the_predicted_way_is_the_one_that_is_taken(words, played, tmp_path):
    async with await play_world(played, tmp_path) as players:
        player = players["east"]
        vcenter = PyvmomiVCenter(
            EAST,
            url=player.url,
            user=player.user,
            password=lambda: player.password,
            ca_file=player.ca_file,
            thumbprint=None,
        )
        try:
            (found,) = await vcenter.find_vms("web01")
            vm, site = await vcenter.read_vm(found.ref.uuid), await vcenter.read_site(SITES[SiteName("site2")])
        finally:
            await vcenter.close()
        estate = player.estate
        taken = estate.universe.paths.between(estate.host(vm.host), estate.host(site.hosts[0].name))
    path = predict_path(vm.on, site.hosts[0])
    assert path.words == words == str(taken)
    assert (path.data.source.address, path.data.target.address) == (taken.sender.address, taken.data.address)
    assert (path.control.source.address, path.control.target.address) == (taken.source.address, taken.control.address)
