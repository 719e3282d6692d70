"""Compares pictures of pages with reviewed reference pictures.

The font is one that matplotlib has with it, so that lines break alike on every machine. The pictures are compared at an eighth
of their size, so that the way in which a browser smooths letters does not count. `tests/data/README.md` says how to renew them.
"""

import base64
import io
from pathlib import Path

import matplotlib
import numpy
from PIL import Image
from playwright.sync_api import Page

REFERENCES = Path(__file__).parents[1] / "data" / "looks"
_FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
_SHRINK = 8
#: A block of 8 x 8 pixels is another one if a colour of it differs by more from all blocks around it.
_SAME_COLOUR = 24
#: The share of other blocks that two drawings of one page may have. What the tests take away makes more of them.
SAME_PICTURE = 0.01


def draw_in_one_font(page: Page) -> None:
    """Set the font of the references on a page."""
    font = base64.b64encode(_FONT.read_bytes()).decode()
    page.add_style_tag(
        content=f"@font-face {{ font-family: Reference; src: url(data:font/ttf;base64,{font}) }}"
        "* { font-family: Reference !important; font-weight: 400 !important }"
    )
    page.evaluate("document.fonts.load('15px Reference')")


def picture_of(page: Page) -> Image.Image:
    """Return what the browser shows of a page, at an eighth of its size."""
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    return picture.resize((picture.width // _SHRINK, picture.height // _SHRINK), Image.Resampling.BOX)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the share of blocks of one picture that are like no block at their place, or next to it, in the other one."""
    return max(_only_in(one, other), _only_in(other, one))


def _only_in(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    blocks = numpy.asarray(one, dtype=int)
    around = numpy.pad(numpy.asarray(other, dtype=int), ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows, columns, _ = blocks.shape
    nearest = numpy.full((rows, columns), 255)
    for down in range(3):
        for right in range(3):
            distance = abs(blocks - around[down : down + rows, right : right + columns]).max(axis=2)
            nearest = numpy.minimum(nearest, distance)
    return float((nearest > _SAME_COLOUR).mean())
