"""The rendered commands as plain processes, against the players and a real Valkey, asked by their own probes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest

from bot.playground.slack.player import SlackPlayer
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import parse_world
from bot.store import embedded
from tests.health.probes import ask, until
from tests.helm.charts import altered, pods, rendered
from tests.helm.ground import Grounded, grounded
from tests.ports import free_port
from tests.worlds import CONFIGURED_SITES, TWO_SITES

CONFIG = """
[slack]
api_url = "{slack.api_url}"
app_token_file = "/run/secrets/slack/app-token"
bot_token_file = "/run/secrets/slack/bot-token"
[vcenters.east]
url = "{vcenter.url}"
user = "{vcenter.user}"
password_file = "/run/secrets/vcenters/east"
ca_file = "/etc/coldmigrate-ca/ca.crt"
"""
WITHIN = 60.0


class Cluster:
    """What a release needs of the outside, and the release itself."""

    def __init__(self, folder: Path, slack: SlackPlayer, vcenter: VCenterPlayer, redis: embedded.Embedded) -> None:
        self._folder = folder
        self.slack = slack
        self.vcenter = vcenter
        self.redis = redis
        self._secrets = {
            "coldmigrate-slack": {"app-token": slack.app_token, "bot-token": slack.bot_token},
            "coldmigrate-vcenters": {"east": vcenter.password},
            "coldmigrate-redis": {"url": redis.url},
        }
        self._config = CONFIG.format(slack=slack, vcenter=vcenter) + CONFIGURED_SITES

    @asynccontextmanager
    async def pod(self, role: str) -> AsyncIterator[Grounded]:
        """The one container of a role, with nothing but what its pod mounts."""
        values = altered("minimal", {"config": self._config, "caBundle.configMap": "ca", "health.port": free_port()})
        objects = rendered(values)
        spec = dict(pods(objects))[f"cm-coldmigrate-{role}"]
        configs = {found["metadata"]["name"]: found["data"] for found in objects if found["kind"] == "ConfigMap"}
        configs["ca"] = {"ca.crt": Path(self.vcenter.ca_file).read_text("utf-8")}
        async with grounded(spec, self._folder / role, secrets=self._secrets, configs=configs) as running:
            yield running

    def restart_redis(self) -> None:
        self.redis = embedded.start(self._folder / "redis")


@pytest.fixture
async def cluster(tmp_path) -> AsyncIterator[Cluster]:
    async with AsyncExitStack() as stack:
        slack = SlackPlayer()
        await slack.start()
        stack.push_async_callback(slack.stop)
        world = await stack.enter_async_context(await play_world(parse_world(TWO_SITES), tmp_path / "world"))
        (tmp_path / "redis").mkdir()
        cluster = Cluster(tmp_path, slack, world["east"], embedded.start(tmp_path / "redis"))
        stack.callback(lambda: cluster.redis.stop())  # noqa: PLW0108 - whichever it is by then
        yield cluster


async def stands(pod: Grounded, probe: str, *, well: bool = True) -> str:
    """Until this probe says so; what it said."""
    status = 200 if well else 503
    assert pod.process.returncode is None
    return (await until(pod.port, pod.path(probe), lambda told: told.status == status, within=WITHIN)).body


async def ends(pod: Grounded) -> float:
    """Seconds from SIGTERM to a clean end; AssertionError beyond the pod's grace."""
    begun = monotonic()
    pod.process.send_signal(signal.SIGTERM)
    try:
        assert await asyncio.wait_for(pod.process.wait(), pod.grace) == 0
    except TimeoutError:
        raise AssertionError(f"it took longer than the {pod.grace:.0f} s of grace") from None
    return monotonic() - begun


@pytest.mark.parametrize("role", ["bot", "worker"])
async def test_a_role_comes_up_outlives_redis_and_goes_in_time(cluster, role):
    async with cluster.pod(role) as pod:
        await stands(pod, "startup")
        await stands(pod, "readiness")
        assert "coldmigrate_build_info" in ask(pod.port, "/metrics").body

        cluster.redis.stop()
        assert "redis: does not answer\n" in await stands(pod, "readiness", well=False)
        for _ in range(pod.container["livenessProbe"]["failureThreshold"]):
            assert (await asyncio.to_thread(ask, pod.port, pod.path("liveness"))).status == 200
        cluster.restart_redis()
        await stands(pod, "readiness")
        assert pod.process.returncode is None  # the very same process

        await ends(pod)


async def test_a_worker_is_not_ready_before_every_vcenter_was_reached(cluster):
    cluster.vcenter.switches.fall_silent()
    async with cluster.pod("worker") as pod:
        await stands(pod, "startup")
        assert "vcenter east: does not answer\n" in await stands(pod, "readiness", well=False)
        assert (await asyncio.to_thread(ask, pod.port, pod.path("liveness"))).status == 200
        await ends(pod)


async def test_a_bot_that_slack_has_cut_off_is_not_ready(cluster):
    async with cluster.pod("bot") as pod:
        await stands(pod, "readiness")
        await cluster.slack.stop()
        assert "slack: does not answer\n" in await stands(pod, "readiness", well=False)
        assert (await asyncio.to_thread(ask, pod.port, pod.path("liveness"))).status == 200


async def test_the_doctor_comes_and_says_what_it_sees(cluster):
    async with cluster.pod("doctor") as pod:
        code = await asyncio.wait_for(pod.process.wait(), WITHIN)
        said = pod.log.read_text("utf-8")
        assert code in {0, 1}, said  # warnings are for people: this Redis has no replica
        assert "redis" in said


async def test_told_to_stop_while_it_comes_up_it_goes(cluster):
    async with cluster.pod("worker") as pod:
        await stands(pod, "liveness")
        await ends(pod)
