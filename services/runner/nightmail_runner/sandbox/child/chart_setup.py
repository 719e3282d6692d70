"""Makes a fork server ready to draw: matplotlib imported, its fonts found, a figure drawn once."""

import io
import os
import sysconfig
import tempfile

from nightmail_runner.sandbox.isolation.lockdown import FONT_FOLDERS

#: matplotlib's own font, and installed ones for the characters that it lacks: Chinese, Japanese, Korean and others.
_FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "IPAexGothic",
    "WenQuanYi Zen Hei",
    "Noto Sans",
    "FreeSans",
)


def set_up_charts() -> None:
    """Import matplotlib and draw a figure, so that no run pays for first use.

    Call it before the isolation layers are installed: it lists the fonts of this machine, for which matplotlib needs a
    folder to write to. Workers read the fonts and write nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MPLCONFIGDIR"] = folder
        os.environ["MPLBACKEND"] = "module://nightmail_runner.sandbox.child.figure_backend"
        _set_up()


def _set_up() -> None:
    import matplotlib
    import pandas
    from matplotlib import font_manager, pyplot

    from nightmail_runner.sandbox.child import figure_output, patches
    from nightmail_runner.sandbox.child.figure_backend import DRAWN

    readable = (*{sysconfig.get_path(name) for name in ("purelib", "platlib")}, *FONT_FOLDERS)
    fonts = font_manager.fontManager.ttflist
    fonts[:] = [font for font in fonts if font.fname.startswith(readable)]
    installed = {font.name for font in fonts}
    matplotlib.rcParams["font.family"] = [name for name in _FONTS if name in installed]
    pyplot.switch_backend(os.environ["MPLBACKEND"])
    patches.ignore_choice_of_backend()
    patches.record_new_figures(DRAWN.add)
    frame = pandas.DataFrame({"a": [1, 2]}, index=pandas.date_range("2026-01-01", periods=2))
    for kind in ("line", "bar"):
        frame.plot(kind=kind, title="$x$")
    figure_output.write_figures(DRAWN.drawn(), io.BytesIO())
    pyplot.close("all")
