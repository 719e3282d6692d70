"""Ten pages look like their reference pictures: light and wide, dark and narrow, and in forced colours."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from console.looks import SCREENS, Screen, recorded_pages, reference
from support.looks import SAME_PICTURE, difference, draw_in_one_font, picture_of


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_page_looks_like_its_reference(browser: Browser, screen: Screen, tmp_path: Path) -> None:
    others = {}
    with recorded_pages(browser, screen) as pages:
        for name, page in pages:
            draw_in_one_font(page)
            others[name] = difference(picture_of(page), Image.open(reference(name, screen)))
            page.screenshot(path=tmp_path / f"{name}.png")
            page.close()
    differing = {name: f"{share:.1%}" for name, share in others.items() if share > SAME_PICTURE}
    assert differing == {}, f"review the pages in {tmp_path}, then run `make looks`"


@pytest.mark.parametrize("less", ["main { padding: 0 }", "th { display: none }"])
def test_what_a_page_loses_is_seen_in_its_picture(browser: Browser, less: str) -> None:
    with recorded_pages(browser, SCREENS[0]) as pages:
        next(pages)
        name, page = next(pages)
        draw_in_one_font(page)
        page.add_style_tag(content=less)
        assert difference(picture_of(page), Image.open(reference(name, SCREENS[0]))) > 2 * SAME_PICTURE
