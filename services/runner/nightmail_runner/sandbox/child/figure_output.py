"""Writes the figures of a script as PNG: sharp, opaque, so that they read on dark mails, too, and within their ceilings."""

import io
import re
import struct
import sys
import warnings
from collections.abc import Sequence
from typing import BinaryIO

import numpy
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from nightmail_common.contract.limits import (
    MAX_FIGURE_BYTES,
    MAX_FIGURE_SIDE_PIXELS,
    MAX_FIGURES,
    MAX_FIGURES_BYTES,
)
from nightmail_runner.sandbox.child.figure_text import describe_figure
from nightmail_runner.sandbox.result import DrawnFigure

#: Dots per inch. A figure is 6.4 inches wide unless the script says otherwise, and a mail shows it 640 points wide: twice as
#: many pixels for screens of high density. The second value is for a picture with too much detail for its ceiling.
_DPI = (200, 100)
#: A mail is at most 700 points wide, so that more pixels than this help only those who zoom.
_MAX_WIDTH_PIXELS = 2000
#: Around what is drawn.
_MARGIN_INCHES = 0.15
_MISSING_GLYPH = re.compile(r"Glyph (\d+) .* missing from")
#: Where the header of a PNG has its width and height.
_SIZE = struct.Struct(">16x2I")


class TooManyFigures(Exception):
    """The script drew more figures than a mail shows."""


class FigureTooLarge(Exception):
    """The PNG of a figure, or all of them together, are too large for a mail."""


class FigureNotDrawn(Exception):
    """matplotlib cannot draw a figure: it finds most mistakes only then."""


def write_figures(figures: Sequence[Figure], file: BinaryIO) -> tuple[tuple[DrawnFigure, ...], list[str]]:
    """Write the PNGs of figures in order; return their descriptions, and notes about parts that are hard to read.

    Raises:
        TooManyFigures, FigureTooLarge, FigureNotDrawn: a mail cannot show them.
        MemoryError: the run has no memory for it.
    """
    if len(figures) > MAX_FIGURES:
        raise TooManyFigures(
            f"the script drew {len(figures)} figures, and a mail shows at most {MAX_FIGURES}; draw several axes into one"
            " figure (plt.subplots), or close those that are not for the mail (plt.close)"
        )
    drawn, notes = [], []
    for number, figure in enumerate(figures, 1):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                data = _png(figure)
                alt = describe_figure(figure)
            except MemoryError:
                raise
            except Exception as error:
                raise FigureNotDrawn(f"figure {number} cannot be drawn: {type(error).__name__}: {error}") from error
        notes += _notes(number, [f"{warning.message}" for warning in caught])
        if len(data) > MAX_FIGURE_BYTES:
            raise FigureTooLarge(
                f"figure {number} takes {len(data)} bytes as PNG; at most {MAX_FIGURE_BYTES} are allowed. Draw fewer points,"
                " or a smaller figure (figsize)"
            )
        width, height = _SIZE.unpack_from(data)
        drawn.append(DrawnFigure(len(data), width, height, alt))
        file.write(data)
    if (total := sum(figure.size for figure in drawn)) > MAX_FIGURES_BYTES:
        raise FigureTooLarge(f"the figures take {total} bytes as PNG; together at most {MAX_FIGURES_BYTES} are allowed")
    return tuple(drawn), notes


def _png(figure: Figure) -> bytes:
    """Return a figure as PNG. Labels that stand out of the figure are in it, as in a notebook."""
    facecolor = to_rgba(figure.get_facecolor())
    if facecolor[3] < 1 or not figure.patch.get_visible():
        facecolor = (1.0, 1.0, 1.0, 1.0)
    figure.patch.set_visible(True)
    figure.draw_without_rendering()
    box = figure.get_tightbbox().padded(_MARGIN_INCHES)
    if not numpy.isfinite(box.extents).all():
        box = Bbox.from_bounds(0, 0, *figure.get_size_inches())
    data = b""
    for dpi in _DPI:
        png = io.BytesIO()
        figure.savefig(
            png,
            format="png",
            dpi=min(dpi, _MAX_WIDTH_PIXELS / box.width, (MAX_FIGURE_SIDE_PIXELS - 1) / box.height),
            bbox_inches=box,
            facecolor=facecolor,
            transparent=False,
            metadata={"Software": None},
        )
        data = png.getvalue()
        if len(data) <= MAX_FIGURE_BYTES:
            break
    return data


def _notes(number: int, messages: list[str]) -> list[str]:
    """Return a note about characters that no font has; print other warnings, so that the run's log has them."""
    missing: dict[str, None] = {}
    for message in messages:
        if (glyph := _MISSING_GLYPH.match(message)) is not None:
            missing[chr(int(glyph[1]))] = None
        else:
            print(f"figure {number}: {message}", file=sys.stderr)
    if not missing:
        return []
    return [f"figure {number} shows boxes instead of {' '.join(missing)}, which no font of the runner has"]
