"""Links between pages lead somewhere, headings included."""

from __future__ import annotations

import posixpath
import re

LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)\s]+)\)")


def anchors(page: str) -> set[str]:
    """Headings as GitHub makes anchors of them."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_link_leads_somewhere(pages, root):
    broken = []
    for page, text in pages.items():
        for target in LINK.findall(text):
            path, _, anchor = target.partition("#")
            place = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
            known = place in pages and (not anchor or anchor in anchors(pages[place]))
            if not (known or (not anchor and (root / place).exists())):
                broken.append(f"{page}: {target}")
    assert broken == []


def test_every_page_can_be_reached_from_the_readme(pages):
    reached = {"README.md"}
    while True:
        found = {
            posixpath.normpath(posixpath.join(posixpath.dirname(page), target.partition("#")[0]))
            for page in reached
            for target in LINK.findall(pages[page])
        }
        if found & set(pages) <= reached:
            break
        reached |= found & set(pages)
    folders = {page for page in pages if posixpath.dirname(page) == "docs/decisions"}
    assert set(pages) - reached - folders == set()


def test_files_that_pages_name_are_there(pages, root):
    named = {
        (page, path)
        for page, text in pages.items()
        for path in re.findall(r"`((?:bot|handlers|tests|docs)/[\w./-]+)`", text)
    }
    assert [item for item in sorted(named) if not (root / item[1]).exists()] == []


def test_tests_that_pages_name_are_there(pages, root):
    code = "\n".join(path.read_text(encoding="utf-8") for path in root.glob("tests/**/test_*.py"))
    named = {name for text in pages.values() for name in re.findall(r"`(test_\w+)`", text)}
    assert [name for name in sorted(named) if f"def {name}(" not in code] == []
