"""A ticket gets a report that shows what it holds, whatever it holds. markdown-it reads it as GitHub would."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from bot.diagnosis.causes import Role
from bot.diagnosis.report.markdown import MOST_ROWS, escaped, markdown_of
from bot.diagnosis.verdict import NextCheck


def rendered(text):
    return MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").render(text)


def test_it_has_every_part(incident, report):
    page = rendered(markdown_of(report(incident())))
    for part in (
        "<h1>packet_loss: packet loss",
        "<h2>Lines</h2>",
        "&gt;&gt; 2: sent only -1 bytes",
        "<h2>Known</h2>",
        "<h2>Ruled out</h2>",
        "<h2>Check next</h2>",
        "<h2>Way 1: Copy over SSH</h2>",
        '<code class="language-sh">vmkping -I vmk1 10.2.0.9',
        '<a href="https://knowledge.broadcom.com/external/article/340170">',
    ):
        assert part in page


def test_numbers_of_checks_go_on_behind_a_command(incident, report):
    checks = tuple(NextCheck(f"check {n}", "true", "") for n in range(3))
    page = rendered(markdown_of(report(incident(next_checks=checks))))
    assert [int(start or 1) for start in re.findall(r'<ol(?: start="(\d)")?>', page)][:3] == [1, 2, 3]


def test_no_line_closes_its_fence(incident, line, report):
    evidence = (
        line("``` ````` `"),
        line("~~~", number=2),
        line("```", Role.DECISIVE, number=3),
        line("    ``````", number=4),
    )
    page = rendered(markdown_of(report(incident(evidence=evidence))))
    (fence,) = re.findall(r'<code class="language-text">(.*?)</code>', page, re.DOTALL)
    assert fence.count("\n") == 5
    assert "<h2>Known</h2>" in page


def test_hostile_text_formats_links_and_calls_nothing(hostile):
    page = rendered(markdown_of(hostile))
    outside = re.sub(r"<code.*?</code>", "", page, flags=re.DOTALL)
    tags = set(re.findall(r"<(\w+)", outside))
    assert tags <= {"h1", "h2", "p", "strong", "pre", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"}
    assert "@everyone" not in outside
    assert "<!channel>" not in page
    assert "\x1b" not in page
    assert outside.count("{{ 7*7 }}") > 3, "it is there to be read"


@pytest.mark.parametrize(
    "text",
    [
        "*a* _b_ `c` **d** ~~e~~",
        "# no heading",
        "- no list",
        "1. no list",
        "> no quote",
        "<b>x</b> &lt;",
        "[a](http://b) ![c](d)",
        r"back\slash \* twice",
        "a | b",
        "+ plus",
        "12) x",
        "=== x",
        "$x^2$",
        "http://evil.example www.evil.example",
        "\ttab",
    ],
)
def test_text_comes_out_as_it_went_in(text):
    page = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(escaped(text))
    (shown,) = re.findall(r"^<p>(.*)</p>$", page.strip(), re.DOTALL)
    shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert shown == text.replace("\t", " ").strip()


def test_a_flood_is_a_bounded_table(flood):
    text = markdown_of(flood(5000))
    assert text.count("\n| ") == MOST_ROWS + 1
    assert "4 950 more are in the JSON" in text
    assert len(text) < 20_000


def test_nothing_found(report):
    assert markdown_of(report()).startswith("# No incidents\n")
