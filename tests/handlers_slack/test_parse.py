# ruff: noqa: RUF001 - phones' quotes and dashes are what this is about
"""What can be typed after /coldmigrate, and what each mistake is told."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.migration.request import JobId
from bot.migration.start_time import ClockTime, NextWindow
from bot.operations.port import BatchOrder, MigrateOrder
from bot.operations.request_migration import as_typed
from handlers.slack.parse import (
    CancelJob,
    Empty,
    Help,
    ListJobs,
    Migrate,
    MigrateMany,
    RetryJob,
    ShowJob,
    parse,
    parse_mention,
)

JOB = "k3q7m2xa"
TEN = time(22, 0)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("", Empty()),
        ("  \u00a0 ", Empty()),
        ("list", ListJobs()),
        ("List", ListJobs()),
        ("help", Help()),
        ("help migrate", Help()),
        (f"show {JOB}", ShowJob(JobId(JOB))),
        (f"Cancel {JOB.upper()}", CancelJob(JobId(JOB))),
        (f"retry  {JOB} ", RetryJob(JobId(JOB))),
    ],
)
def test_verbs(text, request_):
    assert parse(text) == request_


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("web01 site2", MigrateOrder("web01", "site2")),
        ('"list" site2', MigrateOrder("list", "site2")),
        ("'show' site2", MigrateOrder("show", "site2")),
        ('"my vm" site2', MigrateOrder("my vm", "site2")),
        ("“my vm” site2", MigrateOrder("my vm", "site2")),
        ("„my vm“ site2", MigrateOrder("my vm", "site2")),
        ("‘my vm’ site2", MigrateOrder("my vm", "site2")),
        ("bob’s-vm site2", MigrateOrder("bob's-vm", "site2")),
        (r"DOMAIN\vm01 site2", MigrateOrder(r"DOMAIN\vm01", "site2")),
        ("web01\u200b site2", MigrateOrder("web01", "site2")),
        ("web01 site2 --dry-run", MigrateOrder("web01", "site2", dry_run=True)),
        ("web01 site2 —dry-run", MigrateOrder("web01", "site2", dry_run=True)),
        ("web01 site2 –dry-run", MigrateOrder("web01", "site2", dry_run=True)),
        ("--dry-run web01 site2", MigrateOrder("web01", "site2", dry_run=True)),
        ("web01 --host esx-11 site2", MigrateOrder("web01", "site2", host="esx-11")),
        ("web01 site2 --HOST=esx-11", MigrateOrder("web01", "site2", host="esx-11")),
        ('web01 site2 --datastore "ds c2"', MigrateOrder("web01", "site2", datastore="ds c2")),
        ('web01 site2 --datastore="ds c2"', MigrateOrder("web01", "site2", datastore="ds c2")),
        (
            'web01 site2 --network A=B --network "VM Network=Prod = LAN" —network C="D E"',
            MigrateOrder("web01", "site2", networks={"A": "B", "VM Network": "Prod = LAN", "C": "D E"}),
        ),
        (
            "web01 site2 --thin --shutdown --power-on —disconnect-iso --consolidate --force --when-clean",
            MigrateOrder(
                "web01",
                "site2",
                thin=True,
                shutdown=True,
                power_on=True,
                disconnect_drives=True,
                consolidate=True,
                force=True,
                when_clean=True,
            ),
        ),
        (
            'web01 site2 --disk “Hard disk 2=ds-c2-02” --disk 3=fast --disk="disk 4=ds=x" --disk Festplatte=ds',
            MigrateOrder(
                "web01",
                "site2",
                disk_datastores={
                    "Hard disk 2": "ds-c2-02",
                    "Hard disk 3": "fast",
                    "Hard disk 4": "ds=x",
                    "Festplatte": "ds",
                },
            ),
        ),
        ("web01 site2 --at 22:00", MigrateOrder("web01", "site2", at=ClockTime(TEN))),
        ('web01 site2 --at "22:00"', MigrateOrder("web01", "site2", at=ClockTime(TEN))),
        ("web01 site2 —at=22:00", MigrateOrder("web01", "site2", at=ClockTime(TEN))),
        ("web01 site2 --at “Sat 22:00”", MigrateOrder("web01", "site2", at=ClockTime(TEN, weekday=5))),
        ("web01 site2 --at='Sat 22:00'", MigrateOrder("web01", "site2", at=ClockTime(TEN, weekday=5))),
        ("--at Sat 22:00 web01 site2", MigrateOrder("web01", "site2", at=ClockTime(TEN, weekday=5))),
        (
            "web01 --at 2026‑11‑24 22:00 Europe/Berlin site2",
            MigrateOrder("web01", "site2", at=ClockTime(TEN, day=date(2026, 11, 24), zone="Europe/Berlin")),
        ),
        ("--at 22:00 Web/report01 site2", MigrateOrder("Web/report01", "site2", at=ClockTime(TEN))),
        ('--at 22:00 "Europe/Berlin" site2', MigrateOrder("Europe/Berlin", "site2", at=ClockTime(TEN))),
        ("web01 site2 --at window", MigrateOrder("web01", "site2", at=NextWindow())),
        ("--AT Window web01 site2", MigrateOrder("web01", "site2", at=NextWindow())),
        ('"--dry-run" site2', MigrateOrder("--dry-run", "site2")),
        ('web01 site2 --host "--odd"', MigrateOrder("web01", "site2", host="--odd")),
        ("<http://web01.example.net|web01.example.net> site2", MigrateOrder("web01.example.net", "site2")),
        ("<http://web01.example.net> site2", MigrateOrder("http://web01.example.net", "site2")),
        ("<mailto:a@b.example|a@b.example> site2", MigrateOrder("a@b.example", "site2")),
        ("vm-<@U0ALICE001|alice> site2", MigrateOrder("vm-@alice", "site2")),
        ("<#C0MIGRATE1|migrations> site2", MigrateOrder("#migrations", "site2")),
        ("<!channel> site2", MigrateOrder("<!channel>", "site2")),
        ("&lt;!channel&gt; site2", MigrateOrder("<!channel>", "site2")),
        ("<web01> site2", MigrateOrder("<web01>", "site2")),
        ('"a &amp; b" site2', MigrateOrder("a & b", "site2")),
        ('"@web-tier" site2', MigrateOrder("@web-tier", "site2")),
    ],
)
def test_orders(text, order):
    assert parse(text) == Migrate(order)


@pytest.mark.parametrize(
    ("text", "said", "shown"),
    [
        ("web01", "which site should 'web01' go", "/coldmigrate web01 site2"),
        ('"my vm"', "which site", '/coldmigrate "my vm" site2'),
        ("lsit", "did you mean 'list'", "/coldmigrate list"),
        ("--dry-run", "Which VM", "/coldmigrate web01 site2"),
        ("my vm site2", "these are 3 names", '/coldmigrate "my vm" site2'),
        ('"my vm site2', "never closed", '"my vm"'),
        ("“my vm site2", "never closed", '"my vm"'),
        ("web01 site2 --hots esx-11", "no option --hots. Did you mean --host?", "--host esx"),
        ("web01 site2 -datastore x", "Did you mean --datastore?", "--datastore"),
        (
            "web01 site2 --frobnicate",
            "There are: --host, --datastore, --disk, --network, --at, --dry-run, --thin",
            "/coldmigrate",
        ),
        ("web01 site2 --host", "--host needs a value", "--host esx"),
        ("web01 site2 --host --dry-run", "--host needs a value before --dry-run", "--host esx"),
        ('web01 site2 --host ""', "--host needs a value", "--host esx"),
        ("web01 site2 --host=", "--host needs a value", "--host esx"),
        ("web01 site2 --host a --host b", "--host was given twice", "--host esx"),
        ("web01 site2 --dry-run --dry-run", "--dry-run was given twice", "--dry-run"),
        ("web01 site2 --dry-run=no", "--dry-run takes no value", "--dry-run"),
        ("web01 site2 --network A", "takes FROM=TO, not 'A'", '--network "VM Network=Production"'),
        ("web01 site2 --network =B", "takes FROM=TO", "--network"),
        ("web01 site2 --network A=B --network A=C", "--network was given twice for 'A'", "--network"),
        ("web01 site2 --thin=no", "--thin takes no value", "--thin"),
        ("web01 site2 --at", "--at needs a value", '--at "Sat 20:00"'),
        ("web01 site2 --at soon", "'soon' is no time to start at", "--at 22:00"),
        ("web01 site2 --at Sat", "'Sat' is no time to start at", "--at 22:00"),
        ("web01 site2 --at 22:00 --at 23:00", "--at was given twice", "--at"),
        ('web01 site2 --at "22:00 Berlin"', "Did you mean Europe/Berlin?", "Europe/Berlin"),
        ("--at 22:00", "Which VM", "web01"),
        ("web01 site2 --power-on --power-on", "--power-on was given twice", "--power-on"),
        ("web01 site2 —shutdwn", "no option --shutdwn. Did you mean --shutdown?", "web01 site2 --shutdown"),
        ("web01 site2 --disk 2", "--disk takes FROM=TO, not 'Hard disk 2'", '--disk "Hard disk 2=ds-c2-02"'),
        ("web01 site2 --disk 2=", "--disk takes FROM=TO", "--disk"),
        ("web01 site2 --disk", "--disk needs a value", "--disk"),
        ('web01 site2 --disk 2=a --disk "Hard Disk 2=b"', "--disk was given twice for 'Hard disk 2'", "--disk"),
        ("web01 site2 --disconnect-iso --thin=yes", "--thin takes no value", "--thin"),
        ("@web-tier", "To which site should @web-tier go?", "/coldmigrate @web-tier site2"),
        ("@web-tier site1 site2", "One VM and one site", "/coldmigrate"),
        ('"" site2', "empty", "/coldmigrate"),
        ("show", "Which job?", "/coldmigrate show"),
        ("list site2", "'list' is a command", '/coldmigrate "list" site2'),
        ("show site2", "'show' is a command", '/coldmigrate "show" site2'),
        (f"cancel {JOB} {JOB}", "takes one job id", "/coldmigrate cancel"),
    ],
)
def test_mistakes_get_a_sentence_and_an_example(text, said, shown):
    with pytest.raises(UserError) as error:
        parse(text)
    assert said in str(error.value)
    assert shown in error.value.example


@given(st.text(max_size=300) | st.text(alphabet="ab \"'“”‘’=-—–<>@#!|&;\\\n", max_size=60))
@example("<" * 5000)
@example("-" * 3000 + "a")
@example("'=" * 2000)
def test_no_text_crashes_it(text):
    with suppress(UserError):
        parse(text)


def typed(name: str) -> str:
    """A name in quotes, as Slack hands it over."""
    quote = "'" if '"' in name else '"'
    return quote + name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + quote


# Quotes of both kinds in one name cannot be typed; typographic ones arrive as plain ones.
LETTERS = st.characters(exclude_characters="'“”„‟«»＂‘’‚‛\u200b\u200c\u200d\u2060\ufeff", exclude_categories=["Cs"])
NAMES = st.text(LETTERS, min_size=1, max_size=40).map(str.strip).filter(bool)
PARTS = NAMES.filter(lambda name: "=" not in name)


@given(
    order=st.builds(
        MigrateOrder,
        vm=NAMES,
        site=NAMES,
        host=NAMES | st.none(),
        datastore=NAMES | st.none(),
        networks=st.dictionaries(PARTS, PARTS, max_size=3),
        dry_run=st.booleans(),
    )
)
def test_what_is_quoted_comes_back_as_it_was(order):
    words = [typed(order.vm), typed(order.site)]
    words += ["--host", typed(order.host)] if order.host else []
    words += ["--datastore=" + typed(order.datastore)] if order.datastore else []
    for source, target in order.networks.items():
        words += [
            "--network",
            typed(source) + "=" + typed(target) if "'" not in typed(source)[0] else typed(f"{source}={target}"),
        ]
    words += ["--dry-run"] if order.dry_run else []
    assert parse(" ".join(words)) == Migrate(order)


@pytest.mark.parametrize(
    "name",
    ["web01", "list", "Show", "my vm", "-web", "@web", 'the "old" one', "bob's vm", "'x'", "a=b", "/DC1/vm/a b/c",
     "<!channel> & *co*", "Prüfstand", "名前 🙂", r"DOMAIN\vm"],
)  # fmt: skip
def test_a_name_is_shown_the_way_it_has_to_be_typed(name):
    """What an example says can be typed as it stands; Slack escapes three characters on the way."""
    typed = f"{as_typed(name)} site2".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert parse(typed) == Migrate(MigrateOrder(name, "site2"))


@pytest.mark.parametrize(
    ("text", "list_name", "site"),
    [
        ("@web-tier site2", "web-tier", "site2"),
        ("@web-tier site2 --dry-run", "web-tier", "site2"),
        ("--dry-run @web-tier site2", "web-tier", "site2"),
        ("<!subteam^S0123|@web-tier> site2", "web-tier", "site2"),
    ],
)
def test_a_saved_list_is_many_vms(text, list_name, site):
    request = parse(text)
    assert isinstance(request, MigrateMany)
    assert (request.order.list, request.order.all.vm, request.order.all.site) == (list_name, "", site)


def test_a_vm_whose_name_begins_so_goes_in_quotes():
    assert parse('"@web01" site2') == Migrate(MigrateOrder("@web01", "site2"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("site2", MigrateMany(BatchOrder(MigrateOrder("", "site2")))),
        ("", MigrateMany(BatchOrder(MigrateOrder("", "")))),
        ("these to site2 please", MigrateMany(BatchOrder(MigrateOrder("", "site2")))),
        ("--dry-run", MigrateMany(BatchOrder(MigrateOrder("", "", dry_run=True)))),
        ("web01 to site2", Migrate(MigrateOrder("web01", "site2"))),
        ("@web-tier site2", MigrateMany(BatchOrder(MigrateOrder("", "site2"), list="web-tier"))),
    ],
)
def test_what_a_mention_asks_for(text, expected):
    assert parse_mention(text) == expected


@pytest.mark.parametrize("text", ["@web-tier", "web01 web02 site2", '"site2'])
def test_a_mention_that_is_not_clear(text):
    with pytest.raises(UserError):
        parse_mention(text)
