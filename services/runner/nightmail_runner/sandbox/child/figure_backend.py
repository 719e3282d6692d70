"""matplotlib as scripts use it: Agg, which needs no screen, and a record of the figures in the order of their drawing.

`show` ends the figures so far, as in a notebook: what is drawn next begins a new one. A figure that the script closes is
dropped.
"""

from typing import Any

from matplotlib import pyplot
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class DrawnFigures:
    """The figures of a script."""

    def __init__(self) -> None:
        self._figures: list[Figure] = []
        self._showing = False

    def add(self, figure: Figure) -> None:
        self._figures.append(figure)

    def drop(self, figure: Figure) -> None:
        """Forget a figure that is closed, unless `show` closes it."""
        if not self._showing:
            self._figures = [other for other in self._figures if other is not figure]

    def show(self) -> None:
        """Keep all figures and close them, so that pyplot begins new ones."""
        self._showing = True
        try:
            pyplot.close("all")
        finally:
            self._showing = False

    def drawn(self) -> list[Figure]:
        """Return the figures with something in them, in the order of their creation."""
        return [figure for figure in self._figures if len(figure.get_children()) > 1]  # one child is the background


DRAWN = DrawnFigures()


class FigureManager(FigureManagerBase):
    @classmethod
    def pyplot_show(cls, *, block: bool | None = None) -> None:  # noqa: ARG003 the signature that pyplot calls
        DRAWN.show()

    def destroy(self) -> None:
        super().destroy()
        DRAWN.drop(self.canvas.figure)


class FigureCanvas(FigureCanvasAgg):
    """The canvas of figures that pyplot creates."""

    manager_class: Any = FigureManager
