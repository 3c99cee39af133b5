"""What axe finds wrong with a page; of its long report only the faults leave the browser."""

from collections.abc import Iterable, Mapping
from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WCAG: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
_ONLY_FAULTS: Final = {"resultTypes": ["violations"]}
_SCRIPT: Final = Axe().axe_script
_RUN: Final = """async ([within, options]) => {
    const {violations} = await axe.run(within ?? document, options);
    return violations.map(({id, nodes}) =>
        `${id}: ${nodes.slice(0, 3).map((one) => one.target.join(" ")).join(", ")}`);
}"""


def faults(
    page: Page, within: str | None = None, options: Mapping[str, object] | None = None
) -> list[str]:
    """Return each rule that is broken with the first places, judged by the options of `axe.run`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SCRIPT)
    found: list[str] = page.evaluate(_RUN, [within, {**_ONLY_FAULTS, **(options or {})}])
    return found


def hindrances(page: Page, sizes: Iterable[tuple[int, int]]) -> list[str]:
    """Return what keeps people from reading a page on screens of these widths and heights."""
    found = []
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        by = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        wrong = faults(page, options=WCAG) + ([f"{by} px too wide"] if by > 0 else [])
        found += [f"{page.url} at {width} x {height}: {one}" for one in wrong]
    return found
