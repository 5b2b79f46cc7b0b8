"""What is written in a format is read from it, field by field, whatever the values."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.diagnosis.formats import HeaderReader, load_formats
from bot.diagnosis.severity import Severity
from bot.diagnosis.stamps import Years
from tests.diagnosis.formats import render as rendering
from tests.diagnosis.formats.render import LAYOUTS, render

FORMATS = load_formats()
ANY_SHAPE = {
    "process": rendering.WORD,
    "component": rendering.WORD,
    "thread": rendering.NUMBER,
    "op_id": rendering.OP_ID,
    "host": rendering.HOST,
}
MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
MESSAGES = st.text(max_size=60).map(lambda text: "".join(text.split()))


@cache
def of_shape(shape):
    return st.from_regex(shape, fullmatch=True)


def test_every_format_can_be_written():
    assert set(LAYOUTS) == {known.id for known in FORMATS}
    assert {known.id for known in FORMATS if known.general} == {
        name for name, layout in LAYOUTS.items() if "general" in layout.traits
    }


@pytest.mark.parametrize("format_id", LAYOUTS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_written_is_read(format_id, data):
    layout = LAYOUTS[format_id]
    values = {
        name: data.draw(of_shape(layout.carries.get(name, shape)), label=name) for name, shape in ANY_SHAPE.items()
    }
    if data.draw(st.booleans(), label="without an operation"):
        values["op_id"] = None
    moment = data.draw(MOMENTS, label="moment")
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    severity = data.draw(st.sampled_from(sorted(layout.severities or set(Severity))), label="severity")
    line = render(
        format_id,
        moment=moment,
        severity=severity,
        message="[NFC ERROR] " + data.draw(MESSAGES, label="message"),
        **values,
    )

    header = HeaderReader(FORMATS).read(line, Years(moment))

    assert header is not None
    assert header.format == format_id
    assert {name: getattr(header, name) for name in layout.carries} == {name: values[name] for name in layout.carries}
    assert header.level == (severity if layout.severities else None)
    assert layout.process in (None, header.process)
    if layout.dated:
        assert header.timestamp == moment - (moment - datetime(2000, 1, 1, tzinfo=UTC)) % layout.precision
        assert header.zone_assumed is ("zoneless" in layout.traits)
        assert (header.wall is not None) is ("yearless" in layout.traits)


@settings(max_examples=60, deadline=None)
@given(order=st.lists(st.sampled_from(sorted(LAYOUTS)), min_size=2, max_size=12))
def test_no_order_of_lines_changes_how_one_is_read(order):
    """The grammar that fitted last is tried first; that must never decide."""
    reader = HeaderReader(FORMATS)
    samples = {known.id: known.samples[-1]["text"] for known in FORMATS}
    for format_id in order:
        assert reader.read(samples[format_id]) == HeaderReader(FORMATS).read(samples[format_id])
