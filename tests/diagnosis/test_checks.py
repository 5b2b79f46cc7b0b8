"""Next checks as commands that can be typed: this pair of hosts, its interface, stack and port, in its words."""

from __future__ import annotations

import shlex

import pytest

from bot.diagnosis.checks import Check, load_checks, path_values
from bot.diagnosis.facts import DEFAULT_STACK, Facts, HostFacts, Interface
from bot.diagnosis.template import Words, fill, fill_quoted


def host(name: str, version: str = "8.0.3", *, provisioning: str | None = None, net: int = 1) -> HostFacts:
    interfaces = [Interface(device="vmk0", address=f"10.{net}.0.11", services=("management",))]
    if provisioning:
        interfaces.append(
            Interface(device="vmk2", address=f"10.{net}.2.11", netstack=provisioning, services=("vSphereProvisioning",))
        )
    return HostFacts(name=name, version=version, interfaces=tuple(interfaces))


def command(check: str, facts: Facts, **captured: str) -> str:
    found = load_checks()[check]
    return fill_quoted(found.command_for(facts), {**path_values(facts), **captured})


def between(source: HostFacts, destination: HostFacts) -> Facts:
    return Facts(source_host=source.name, destination_host=destination.name, hosts=(source, destination))


def test_without_provisioning_the_copy_takes_the_management_interface():
    facts = between(host("a"), host("b", net=2))
    assert command("probe.loss", facts) == "vmkping -I vmk0 -c 200 -i 0.2 10.2.0.11"


def test_a_tagged_interface_on_the_default_stack_needs_no_stack():
    facts = between(host("a", provisioning=DEFAULT_STACK), host("b", provisioning=DEFAULT_STACK, net=2))
    assert command("probe.mtu", facts) == "vmkping -I vmk2 -d -s 1472 -c 20 10.2.2.11"


def test_a_stack_of_its_own_is_named():
    facts = between(host("a", provisioning="vSphereProvisioning"), host("b", provisioning="vSphereProvisioning", net=2))
    assert command("probe.loss", facts) == "vmkping ++netstack=vSphereProvisioning -I vmk2 -c 200 -i 0.2 10.2.2.11"


def test_a_stacks_name_that_is_more_than_a_name_is_no_part_of_a_command():
    facts = between(host("a", provisioning="x; reboot"), host("b", net=2))
    assert "reboot" not in command("probe.loss", facts)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("4.1.0", "vmkping -c 200 10.2.0.11"),
        ("5.0.0", "vmkping -c 200 10.2.0.11"),
        ("5.1.0", "vmkping -I vmk0 -c 200 -i 0.2 10.2.0.11"),
        ("6.7.0", "vmkping -I vmk0 -c 200 -i 0.2 10.2.0.11"),
        ("8.0.3", "vmkping -I vmk0 -c 200 -i 0.2 10.2.0.11"),
        ("", "vmkping -I vmk0 -c 200 -i 0.2 10.2.0.11"),
    ],
)
def test_a_host_gets_the_command_that_its_version_knows(version, said):
    assert command("probe.loss", between(host("a", version), host("b", net=2))) == said


def test_the_version_that_counts_is_that_of_the_host_where_it_is_run():
    old, new = host("a", "5.0.0"), host("b", "8.0.3", net=2)
    check = Check(id="x", what="", command="new", before={"5.1": "old", "4.0": "ancient"}, where="destination host")
    assert check.command_for(between(old, new)) == "new"
    assert check.command_for(between(new, old)) == "old"


def test_what_the_log_names_fills_what_nobody_knows():
    assert command("probe.902", Facts(), peer="192.168.209.80") == "nc -z -w 5 192.168.209.80 902"
    assert command("probe.902", Facts(), peer="10.0.0.1", port="8902").endswith("10.0.0.1 8902")
    assert command("probe.loss", Facts(), peer="10.0.0.1") == "vmkping -I <vmk-of-the-copy> -c 200 -i 0.2 10.0.0.1"
    assert command("probe.loss", Facts()) == "vmkping -I <vmk-of-the-copy> -c 200 -i 0.2 <destination-host>"


def test_the_first_name_with_a_value_is_taken_and_quoted():
    assert fill_quoted("ping {a|b}", {"b": "x y"}) == "ping 'x y'"
    assert fill_quoted("ping {a|b}", {"a": "1", "b": "2"}) == "ping 1"
    assert fill("to {a|b_c}", {}) == "to <b-c>"
    assert fill_quoted("{option}ping", {"option": Words("++x=y ")}) == "++x=y ping"


@pytest.mark.parametrize("check", list(load_checks().values()), ids=lambda check: check.id)
def test_every_command_is_one_that_a_shell_can_read(check):
    for text in (check.command, *check.before.values()):
        shlex.split(fill_quoted(text, path_values(Facts())))
