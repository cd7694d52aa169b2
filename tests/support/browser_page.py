"""A real browser for whole-product tests: headless Chromium with a page that must not complain."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import ConsoleMessage, Locator, Page, async_playwright, expect

from tests.support.installation import PASSWORD, Installation
from tests.support.peers import peer

CHROMIUM_PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 30_000
NO_SOUND_DEVICE = "The AudioContext encountered an error from the audio device"
"""What Chromium notes where the machine has nothing to play the ringing on."""
NOT_SIGNED_IN_YET = "/api/session"
"""Asking who is signed in is answered 401 before the sign-in, which the browser notes by itself."""


@dataclass(slots=True)
class ConsolePage:
    """One person's browser. ``complaints`` are the page's console errors and uncaught exceptions."""

    page: Page
    house: Installation
    complaints: list[str] = field(default_factory=list)
    refused: tuple[int, ...] = ()
    """Answers of the server that the test means to provoke; browsers note them by themselves."""

    def part(self, test_id: str) -> Locator:
        """A part of the page by its test id."""
        return self.page.get_by_test_id(test_id)

    async def sign_in(self, login: str) -> None:
        """Open the console and sign in."""
        await self.page.goto(self.house.base_url)
        await self.part("login").fill(login)
        await self.part("password").fill(PASSWORD)
        await self.part("sign-in").click()

    async def until_agent_is(self, state: str) -> None:
        """Wait until the top bar shows the agent in this state."""
        await expect(self.part("agent-state")).to_have_attribute("data-state", state)

    async def go_ready(self) -> None:
        """Press Ready."""
        await self.part("go-ready").click()
        await self.until_agent_is("ready")

    def note(self, message: ConsoleMessage) -> None:
        """Keep an error message of the page."""
        expected = "401" in message.text and message.location["url"].endswith(NOT_SIGNED_IN_YET)
        expected = expected or message.text.startswith(NO_SOUND_DEVICE)
        expected = expected or any(f"status of {status} " in message.text for status in self.refused)
        if message.type == "error" and not expected:
            self.complaints.append(f"{message.text} ({message.location['url']})")


@asynccontextmanager
async def console_page(
    house: Installation,
    pictures: Path,
    *,
    refused: tuple[int, ...] = (),
    options: Sequence[str] = (),
    script: str = "",
) -> AsyncIterator[ConsolePage]:
    """A fresh browser; ``script`` runs in each of its pages before anything else.

    At the end it must not have complained; after a failure ``pictures`` holds what it showed. ``refused`` are answers
    that the test provokes on purpose.
    """
    program = peer("chromium", *CHROMIUM_PLACES)
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*QUIET, *options])
        try:
            context = await browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900})
            context.set_default_timeout(PATIENCE_MS)
            if script:
                await context.add_init_script(script)
            opened = ConsolePage(await context.new_page(), house, refused=refused)
            _listen(opened)
            try:
                yield opened
            finally:
                await opened.page.screenshot(path=pictures / "last.png", full_page=True)
            assert opened.complaints == []
        finally:
            await browser.close()


def _listen(opened: ConsolePage) -> None:
    """Plain functions: Playwright puts marks on the owner of a bound method, which slots do not allow."""

    def on_message(message: ConsoleMessage) -> None:
        opened.note(message)

    opened.page.on("console", on_message)
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
