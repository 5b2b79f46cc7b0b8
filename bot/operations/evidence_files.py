"""The files of an evidence pack: the page, and a .zip to forward with it and everything that a machine may read.

In the .zip: the page, counts as CSV, the link's history as CSV, the log lines as text, the verdict as JSON, the chart.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bot.diagnosis.printable import printable
from bot.migration.intervals import interval
from bot.migration.measured import LinkSample
from bot.operations.evidence_pack import Count, Pack
from bot.operations.evidence_page import page_of
from bot.operations.on_call_files import Attachment

_COUNTED: Final = (
    "at_utc", "when", "control", "way", "packets", "sent", "lost", "share", "ci95_low", "ci95_high", "round_trip",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@")
"""What a spreadsheet takes for the beginning of a formula."""


def files_of_pack(pack: Pack, *, verdict: Mapping[str, Any], history: Sequence[LinkSample]) -> tuple[Attachment, ...]:
    """Make both; takes a moment, so call it on a thread. The outbox names files after the job by itself."""
    page = page_of(pack).encode()
    about = f"Evidence pack of {pack.vm}"
    return (
        Attachment(f"{pack.stamp}.html", page, f"{about}: the page", "What was measured and ruled out, as a page."),
        Attachment(
            f"{pack.stamp}.zip",
            zipped(pack, page=page, verdict=verdict, history=history),
            f"{about}: to forward",
            "The page, the counts as CSV, the log lines, the verdict as JSON and the link's chart in one file.",
        ),
    )


def zipped(pack: Pack, *, page: bytes, verdict: Mapping[str, Any], history: Sequence[LinkSample]) -> bytes:
    """All of it in one file; the same pack gives the same bytes."""
    parts: dict[str, bytes] = {
        f"{pack.name}.html": page,
        "measurements.csv": _measurements(pack),
        "link-history.csv": _history(history),
        "log-lines.txt": "".join(f"{one.file}:{one.line}: {printable(one.text)}\n" for one in pack.lines).encode(),
        "diagnosis.json": json.dumps(verdict, indent=2).encode(),
        **({"link.png": pack.chart} if pack.chart else {}),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(f"{pack.name}/{name}", pack.made_at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return made.getvalue()


def _measurements(pack: Pack) -> bytes:
    counts = [*pack.counts, *(one.count for one in pack.controls if one.count is not None)]
    named = {id(one.count): one.what for one in pack.controls if one.count is not None}
    head = (
        "at_utc",
        "when",
        "control",
        "way",
        "packets",
        "sent",
        "lost",
        "share",
        "ci95_low",
        "ci95_high",
        "round_trip",
    )
    return _csv(head, (_row(one, named.get(id(one), "")) for one in counts))


def _row(one: Count, control: str) -> Sequence[Any]:
    bounds = interval(one.lost, one.sent)
    share = f"{one.lost / one.sent:.4f}" if one.sent else ""
    counted = (one.sent, one.lost, share, f"{bounds.low:.4f}", f"{bounds.high:.4f}")
    return (one.at.isoformat(), one.when, control, one.way, one.what, *counted, one.trip)


def _history(samples: Iterable[LinkSample]) -> bytes:
    head = ("at_utc", "kind", "link", "source_host", "target_host", "sent", "lost", "rate_bytes_per_second")
    rows = (
        (one.at.isoformat(), one.kind.value, one.link, one.source_host, one.target_host, one.sent, one.lost, one.rate)
        for one in samples
    )
    return _csv(head, rows)


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would not run."""
    if not isinstance(value, str):
        return "" if value is None else value
    text = printable(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
