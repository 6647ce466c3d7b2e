"""A browser for the tests: the system's Chromium, headless, on the live server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, sync_playwright

from tests.portal.pages import World, make_world

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]

STOPPING = pytest.StashKey[ExitStack]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item) -> Iterator[None]:
    """The browser stops with the test's last line, before anything is torn down."""
    with item.stash.get(STOPPING, ExitStack()):
        return (yield)


@pytest.fixture
def browser(world, live_server, request, monkeypatch) -> Browser:
    """Started for each test.

    Playwright runs an event loop in this thread, and beside a running loop Django has other connections than
    without: what is made before is made on the test's own, what the test asks meanwhile on one that is closed here.
    """
    if CHROMIUM is None:
        reason = "no Chromium here: install the system's, and the browser tests run"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    stopping = request.node.stash[STOPPING] = ExitStack()
    playwright = stopping.enter_context(sync_playwright())
    stopping.callback(connections.close_all)
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    stopping.callback(chromium.close)
    return chromium


@pytest.fixture
def world(transactional_db) -> World:
    """A project with a row of everything, and a person who administers it."""
    return make_world("ours")


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained about."""
    return []


@pytest.fixture
def page(browser, live_server, complaints) -> Page:
    """A page of somebody who has just logged in, by keyboard."""
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    page: Page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    log_in(page, "ours-admin")
    return page


def log_in(page: Page, username: str) -> None:
    """As a person does who has no mouse."""
    page.goto("/admin/")
    page.get_by_label("Username").focus()
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type("a long enough password")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Overview')")
