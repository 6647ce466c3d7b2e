"""Both faces of the theme, light and dark: one look at a page asks about both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
# What a page is made of is the same in both; what can be told apart is not.
RULES = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "dark": ["color-contrast", "link-in-text-block"],
}


def violations(page: Page) -> list[tuple[str, Any]]:
    """The rules of accessibility that it breaks, each with where. Axe styles what it measures: ask other things before."""
    return [
        (f"{one['id']}, {face}", [node["target"] for node in one["nodes"]])
        for face in _faces(page)
        for one in Axe().run(page, options={"runOnly": RULES[face]}).response["violations"]
    ]


def keep(page: Page, name: str) -> None:
    """Leave pictures for people to look at."""
    ARTEFACTS.mkdir(exist_ok=True)
    for face in _faces(page):
        page.screenshot(path=ARTEFACTS / f"{name}-{face}.png", full_page=True)


def _faces(page: Page) -> Iterator[str]:
    for face in ("dark", "light"):  # tests go on in the light one
        page.emulate_media(color_scheme=face)
        yield face
