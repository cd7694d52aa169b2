"""How a page of the console looks: in both languages, light and dark, on small screens and on large."""

import os
from typing import Literal

from tests.support.axe import violations
from tests.support.browser_page import ConsolePage
from tests.support.waiting import until

Scheme = Literal["light", "dark"]
LOOKS: tuple[tuple[str, Scheme], ...] = (("en", "light"), ("zh", "dark"))
WIDTHS = (1024, 1440)
BETWEEN = 1280
"""Where it is only looked whether all fits."""
ONE_ROW = 70
"""Pixels."""
PICTURES = os.environ.get("PICTURES", "")
"""A folder for screenshots, for people who want to look."""


async def dress(desk: ConsolePage, language: str, scheme: Scheme) -> None:
    """Before the sign-in: the language and the colours of the browser."""
    await desk.page.emulate_media(color_scheme=scheme)
    await desk.page.add_init_script(f"localStorage.setItem('console.language', '{language}')")


async def _fits(desk: ConsolePage) -> bool:
    hidden: int = await desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return hidden <= 0


async def _is_one_row(desk: ConsolePage) -> bool:
    """The top bar must not grow when a state's name is long or somebody waits: what is below would jump."""
    height: int = await desk.page.evaluate("document.querySelector('header')?.offsetHeight ?? 0")
    return height <= ONE_ROW


async def is_accessible(desk: ConsolePage, name: str = "the page") -> None:
    """Once it has come to rest: what fades in has too little contrast at first."""
    found: list[str] = []

    async def nothing_is_wrong() -> bool:
        found[:] = await violations(desk.page)
        return not found

    try:
        await until(f"{name} is accessible", nothing_is_wrong)
    except AssertionError as error:
        error.add_note(str(found))
        raise


async def look_at(desk: ConsolePage, name: str) -> None:
    """What is on the screen is accessible, and nothing of it lies beyond the edge."""
    for width in (BETWEEN, *WIDTHS):
        await desk.page.set_viewport_size({"width": width, "height": 900})
        await until(f"{name} fits into {width}", lambda: _fits(desk))
        if width >= BETWEEN:
            await until(f"the top bar of {name} is one row at {width}", lambda: _is_one_row(desk))
        if width in WIDTHS:
            await is_accessible(desk, f"{name} at {width}")
        if PICTURES:
            await desk.page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=True)
