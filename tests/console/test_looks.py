"""Ten pages look like their reference pictures: light and wide, dark and narrow, and in forced colours."""

import time
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from console.looks import SCREENS, Screen, recorded_pages, reference
from support.deadlines import scaled
from support.looks import SAME_PICTURE, difference, draw_in_one_font, picture_of


def difference_once_drawn(page: Page, picture: Image.Image) -> float:
    """Return how a page differs from a picture. A page that still draws itself has until the deadline to become alike."""
    deadline = time.monotonic() + scaled(5)
    while (share := difference(picture_of(page), picture)) > SAME_PICTURE and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    return share


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_page_looks_like_its_reference(browser: Browser, screen: Screen, tmp_path: Path) -> None:
    others = {}
    with recorded_pages(browser, screen) as pages:
        for name, page in pages:
            draw_in_one_font(page)
            others[name] = difference_once_drawn(page, Image.open(reference(name, screen)))
            page.screenshot(path=tmp_path / f"{name}.png")
    differing = {name: f"{share:.1%}" for name, share in others.items() if share > SAME_PICTURE}
    assert differing == {}, f"review the pages in {tmp_path}, then run `make looks`"


@pytest.mark.parametrize("less", ["main { padding: 0 }", "th { display: none }"])
def test_what_a_page_loses_is_seen_in_its_picture(browser: Browser, less: str) -> None:
    with recorded_pages(browser, SCREENS[0]) as pages:
        next(pages)
        name, page = next(pages)
        draw_in_one_font(page)
        assert difference_once_drawn(page, Image.open(reference(name, SCREENS[0]))) < SAME_PICTURE
        page.add_style_tag(content=less)
        assert difference(picture_of(page), Image.open(reference(name, SCREENS[0]))) > 2 * SAME_PICTURE
