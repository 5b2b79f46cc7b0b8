"""The witness of the walk can see what must not happen: on a page that does all of it."""

from __future__ import annotations

import pytest

from tests.browser.witness import Witness

BAD = """
<script>console.error("complaint"); alert("boo"); setTimeout(() => { throw new Error("defect") })</script>
<img src="http://127.0.0.1:9/stranger.png">
"""


async def test_nothing_of_this_escapes_it(browser):
    page = await browser.new_page()
    witness = Witness(page, "http://127.0.0.1:8077/")
    witness.swear()
    async with page.expect_event("requestfailed"), page.expect_event("pageerror"):
        await page.set_content(BAD)
    with pytest.raises(AssertionError) as seen:
        witness.swear()
    for wrong in (
        "console error: complaint",
        "a dialog: boo",
        "page: defect",
        "a request to a stranger",
        "failed: http",
    ):
        assert wrong in str(seen.value)
    await page.close()
