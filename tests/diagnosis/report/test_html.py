"""The page as a text; how it looks and behaves is asked of a browser in test_html_in_a_browser.py."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from bot.diagnosis.report.html import MOST_ROWS, MOST_WHOLE, html_of
from bot.diagnosis.verdict import Trouble

VOID = {"meta", "br", "wbr", "path", "line", "rect"}


class Page(HTMLParser):
    """Reads a page, and fails where a tag is left open."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.attributes, self.text = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_it_needs_nothing_from_anywhere_and_runs_nothing(incident, report):
    text = html_of(report(incident()))
    page = Page(text)
    assert not set(page.tags) & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "use"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"src", "style"}]
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = re.findall(r'Security-Policy" content="([^"]+)"', text)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_hostile_text_stays_text(hostile):
    text = html_of(hostile)
    page = Page(text)
    assert "script" not in page.tags
    assert "img" not in page.tags
    links = {value for name, value in page.attributes if name == "href"}
    assert all(link.startswith("#") for link in links)
    assert "window.pwned=1" in "".join(page.text), "it is there to be read"
    assert "{{ 7*7 }}" in "".join(page.text)
    assert not set(text) & {"\x1b", "\u202e"}


def test_each_line_has_a_row_and_a_mark_that_leads_there(incident, report):
    text = html_of(report(incident()))
    rows = set(re.findall(r'<tr id="(e1-\d+)"', text))
    assert rows == {"e1-1", "e1-2", "e1-3"}
    assert set(re.findall(r'<a href="#(e1-\d+)"', text)) == rows
    assert 'class="decisive"' in text


def test_all_anchors_lead_somewhere(flood):
    text = html_of(flood(60))
    ids = re.findall(r'id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)


def test_a_flood_is_bounded(flood):
    text = html_of(flood(5000))
    assert text.count('<details class="incident"') == MOST_WHOLE - 1
    assert f"{5000 - MOST_ROWS:,} more are in the JSON".replace(",", " ") in text
    assert len(text) < 2_000_000


def test_the_zone_and_the_offsets_are_said(incident, line, report):
    given = report(incident(evidence=(line(host="esx-01"), line(host="esx-11", number=2))))
    text = html_of(given, offsets={"esx-11": timedelta(seconds=4)})
    assert "its clock was +4.0 s off; corrected here" in text
    assert "all times in UTC" in text


def test_times_show_their_day_only_where_there_are_two(incident, line, report):
    assert ">01:42:03.000<" in html_of(report(incident(evidence=(line(),))))
    two = html_of(report(incident(evidence=(line(), line(number=2, seconds=100_000)))))
    assert ">2023-08-08 01:42:03.000<" in two
    assert "<th>time (UTC)</th>" in two


def test_nothing_found_and_troubles(report):
    text = html_of(report(errors=[Trouble("a.log", "no such file")], gaps=[Trouble("b.log", "empty")]))
    assert "<h1>No incidents</h1>" in text
    assert "a.log: no such file" in text
    assert "b.log: empty" in text


@pytest.mark.parametrize("timed", [True, False])
def test_lines_without_times(incident, line, report, timed):
    Page(html_of(report(incident(evidence=(line(timed=timed),), first=None, last=None))))
