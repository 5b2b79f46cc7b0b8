"""Lines are for machines or for people, say what they are about, and hold no secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging

import pytest

from bot import telemetry


@pytest.fixture
def lines():
    """Set logging up on a stream, and read it; the handlers that were there come back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()

    def start(form):
        telemetry.set_up(form=form, stream=stream)
        return lambda: stream.getvalue().splitlines()

    yield start
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.fixture
def records(lines):
    read = lines(telemetry.Form.JSON)
    return lambda: [json.loads(line) for line in read()]


log = logging.getLogger("bot.test")


def fail(text):
    raise ValueError(text)


def test_a_line_is_one_json_object(records):
    log.warning("the %s is\nslow", "link")
    (record,) = records()
    assert record["time"].endswith("+00:00")
    assert {**record, "time": ""} == {
        "time": "",
        "level": "warning",
        "logger": "bot.test",
        "message": "the link is\nslow",
    }


def test_lines_say_what_they_are_about(records):
    with telemetry.about(job="k7x2", vm="web01"):
        with telemetry.about(op_id="cm-k7x2-a1"):
            log.info("inside")
        log.info("between")
    log.info("outside")
    inside, between, outside = records()
    assert (inside["job"], inside["vm"], inside["opid"]) == ("k7x2", "web01", "cm-k7x2-a1")
    assert (between["job"], "opid" in between) == ("k7x2", False)
    assert "job" not in outside


async def test_tasks_inherit_what_they_are_about_and_keep_it_apart(records):
    async def work(job):
        with telemetry.about(job=job):
            await asyncio.sleep(0)
            log.info(job)

    await asyncio.gather(*(work(f"job{number}") for number in range(5)))
    assert all(record["job"] == record["message"] for record in records())


def test_an_exception_is_in_its_line(records):
    try:
        fail("broken")
    except ValueError:
        log.exception("failed")
    (record,) = records()
    assert "ValueError: broken" in record["exception"]


def test_a_registered_secret_is_in_no_line(records):
    telemetry.hide('s"cr\\et')
    telemetry.hide('s"cr\\et-and-longer')
    telemetry.hide("abc")  # too short to be hidden without telling more than it hides
    try:
        fail('login with s"cr\\et')
    except ValueError:
        log.exception('s"cr\\et-and-longer and s"cr\\et, abc')
    with telemetry.about(vm='s"cr\\et'):
        log.info("x")
    first, second = records()
    assert first["message"] == "[hidden] and [hidden], abc"
    assert "login with [hidden]" in first["exception"]
    assert second["vm"] == "[hidden]"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("token xoxb-12-abc-DEF!", "token [hidden]!"),
        ("xapp-1-A0-9-f00", "[hidden]"),
        ("at redis://me:pa:ss@host:6379/0 now", "at redis://[hidden]@host:6379/0 now"),
        ("https://host/path@x", "https://host/path@x"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [hidden]"),
        ("{'password': 'x y'}", "{'password': '[hidden] y'}"),
        ("password=hunter2&x=1", "password=[hidden]"),
        ('Cookie: vmware_soap_session="0123abcd-ef"', 'Cookie: vmware_soap_session="[hidden]"'),
        ("the password file is missing", "the password file is missing"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text, hidden):
    assert telemetry.redact(text) == hidden


def test_for_people_a_line_is_text(lines):
    read = lines(telemetry.Form.TEXT)
    with telemetry.about(job="k7x2"):
        log.warning("xoxb-12345 slow")
    try:
        fail("broken")
    except ValueError:
        log.exception("failed")
    first, second, *rest = read()
    assert first[8:] == " warning [hidden] slow job=k7x2"
    assert second[8:] == " error   failed"
    assert rest[-1] == "  | ValueError: broken"


def test_debug_lines_are_left_out(records):
    log.debug("x")
    assert records() == []


@pytest.mark.parametrize("form", telemetry.Form)
def test_text_from_outside_can_neither_forge_a_line_nor_steer_a_terminal(lines, form):
    read = lines(form)
    name = "web01\n12:00:00 info    all is well\u2028\x1b[2J\x9b31m\u202egnp"
    with telemetry.about(vm=name):
        try:
            fail(f"no such vm: {name}")
        except ValueError:
            log.exception("%s failed", name)
    shown = "\n".join(read())
    assert not {"\x1b", "\x9b", "\u202e", "\u2028"} & set(shown)
    assert not any(line.startswith("12:00:00 info    all is well") for line in shown.split("\n"))
    assert "Traceback" in shown


def test_names_that_are_only_foreign_stay_readable(lines):
    read = lines(telemetry.Form.TEXT)
    log.info("Prüfstand 名前 🙂 is moved")
    assert "Prüfstand 名前 🙂 is moved" in read()[0]
