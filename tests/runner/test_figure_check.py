"""Which PNGs the runner accepts, and which scripts it takes for drawing ones."""

import struct
import zlib

import pytest

from nightmail_common.contract.chart_detection import draws_charts
from nightmail_runner.sandbox.figure_check import InvalidPng, png_size


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*middle: bytes, width: int = 2, height: int = 2, depth: int = 8, colour: int = 2) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(middle) + chunk(b"IEND", b"")


PIXELS = chunk(b"IDAT", zlib.compress(bytes(14)))


def test_a_png_is_checked_to_its_last_byte() -> None:
    assert png_size(png(PIXELS)) == (2, 2)
    assert png_size(png(chunk(b"pHYs", bytes(9)), PIXELS)) == (2, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        png(),
        png(PIXELS)[:-1],
        png(PIXELS) + b"behind",
        png(PIXELS).replace(b"IDAT", b"IDAX"),
        png(PIXELS, depth=16),
        png(PIXELS, colour=3),
        png(PIXELS, height=3),
        png(PIXELS, height=1),
        png(chunk(b"tEXt", b"Comment\0hidden"), PIXELS),
        png(chunk(b"acTL", bytes(8)), PIXELS),
        png(chunk(b"IDAT", zlib.compress(bytes(14))[:-3])),
        png(chunk(b"IDAT", zlib.compress(bytes(14)) + b"more")),
        png(chunk(b"IDAT", b"no deflate")),
        png(chunk(b"IDAT", zlib.compress(bytes(10**8)))),
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidPng):
        png_size(data)


@pytest.mark.parametrize(
    "script",
    [
        "import matplotlib.pyplot as plt",
        "from matplotlib.figure import Figure",
        "def f():\n    import matplotlib",
        "data.plot()",
        "data['a'].plot.bar()",
        "data.groupby('a').b.hist()",
        "pd.plotting.scatter_matrix(data)",
        "data.boxplot()",
    ],
)
def test_scripts_that_draw_are_recognised(script: str) -> None:
    assert draws_charts(script)


@pytest.mark.parametrize(
    "script",
    ["return data", "# data.plot()\nreturn data", "name = 'plot'", "plot = 1", "data.plot(", "np.histogram(data)"],
)
def test_other_scripts_do_not_draw(script: str) -> None:
    assert not draws_charts(script)
