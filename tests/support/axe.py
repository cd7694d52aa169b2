"""Accessibility rules run over a page by axe-core, which the console's development packages bring."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

import agent_console
from tests.support.peers import missing

_SOURCE = Path(agent_console.__file__).parent / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async () => {
  const found = await axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    resultTypes: ['violations'],
  });
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}"""


async def violations(page: Page) -> list[str]:
    """What WCAG 2.2 A and AA rules that a program can check find on the page as it is: rule and element."""
    if not _SOURCE.exists():
        missing("axe-core (npm ci in agent_console/web)")
    await page.evaluate(_SOURCE.read_text(encoding="utf-8"))
    found: Any = await page.evaluate(_RUN)
    return [str(each) for each in found]
