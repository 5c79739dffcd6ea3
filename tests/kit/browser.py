"""The browser that pages are shown in: Chromium's engine without the windows around it.

Debian's chromium-headless-shell is the same engine, for a third of the processor's time; where
there is only Chromium itself, that does.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright, expect

# Playwright's own five seconds are few on a machine that others use.
expect.set_options(timeout=30_000)

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")

# Without these it asks Google's hosts for this and that, which no test may reach.
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """Start a browser with these arguments too, and end it with the body."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*_ARGUMENTS, *arguments]
        )
        yield browser
        await browser.close()
