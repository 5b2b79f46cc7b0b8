"""The forms of URL that we take, and that a wrong one is refused without repeating it."""

from __future__ import annotations

import pytest

from bot.errors import UserError
from bot.store.url import Address, parse, passwords_in


@pytest.mark.parametrize(
    ("url", "address", "where"),
    [
        ("redis://h", Address(hosts=(("h", 6379),)), "h:6379"),
        (
            "rediss://u:p%40ss@h:7000/3",
            Address(hosts=(("h", 7000),), db=3, tls=True, user="u", password="p@ss"),
            "h:7000",
        ),
        ("redis://:pw@[::1]:6380/1", Address(hosts=(("::1", 6380),), db=1, password="pw"), "::1:6380"),
        ("unix:///run/my%20redis.sock", Address(socket="/run/my redis.sock"), "/run/my redis.sock"),
        ("unix://:pw@/run/r.sock?db=2", Address(socket="/run/r.sock", db=2, password="pw"), "/run/r.sock"),
        (
            "redis+sentinel://u:pw@h1,h2:5000,[::1]/mine/4?sentinel_user=s&sentinel_password=sp",
            Address(
                hosts=(("h1", 26379), ("h2", 5000), ("::1", 26379)),
                master="mine",
                db=4,
                user="u",
                password="pw",
                sentinel_user="s",
                sentinel_password="sp",
            ),
            "h1:26379,h2:5000,::1:26379 (sentinel, master 'mine')",
        ),
        (
            "rediss+sentinel://h1/m",
            Address(hosts=(("h1", 26379),), master="m", tls=True),
            "h1:26379 (sentinel, master 'm')",
        ),
        (
            "redis+cluster://u:pw@h1,h2:7000/",
            Address(hosts=(("h1", 6379), ("h2", 7000)), cluster=True, user="u", password="pw"),
            "h1:6379,h2:7000 (cluster)",
        ),
        ("rediss+cluster://h1/0", Address(hosts=(("h1", 6379),), cluster=True, tls=True), "h1:6379 (cluster)"),
    ],
)
def test_a_url_is_an_address(url, address, where):
    assert parse(url) == address
    assert address.where == where
    assert "pw" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://h",
        "valkey+unix:///x",
        "redis://",
        "redis://:hunter2@",
        "redis://h:hunter2",
        "redis://h/hunter2",
        "redis://h/-1",
        "unix://",
        "redis+sentinel://h1",
        "redis+sentinel://:hunter2@/mine",
        "redis+sentinel://h1,,h2/mine",
        "redis+cluster://",
        "redis+cluster://h1/1",
        "redis+cluster://:hunter2@",
    ],
)
def test_another_form_is_refused_with_those_that_work(url):
    with pytest.raises(UserError, match=r"redis\+sentinel://host1,host2/master/db") as refused:
        parse(url)
    assert "hunter2" not in str(refused.value)
    assert refused.value.example == "redis://redis.example.net:6379/0"


def test_every_password_in_it_is_known_so_that_it_can_be_hidden():
    url = "redis+sentinel://app:p%40ss@a,b/main/0?sentinel_password=s%2Fecret"
    assert passwords_in(url) == ["p@ss", "s/ecret"]
    assert passwords_in("unix:///run/redis.sock") == []
