"""The alternative text of a figure: its kind, titles, axes and series in words."""

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Wedge

from nightmail_common.contract.limits import MAX_FIGURE_ALT_CHARS

#: Names of series; a legend of more is not read aloud.
_MAX_SERIES = 8
#: How matplotlib labels the axes of a colour bar.
_COLOURBAR = "<colorbar>"


def describe_figure(figure: Figure) -> str:
    """Return one line, such as `Bar chart: Orders. Horizontal axis: day. Vertical axis: orders. Series: north, south.`"""
    shown = [axes for axes in figure.axes if axes.get_visible() and axes.get_label() != _COLOURBAR]
    sentences = [figure.get_suptitle(), *map(_describe_axes, shown)]
    text = " ".join(f"{_one_line(sentence).rstrip('.')}." for sentence in sentences if sentence.strip())
    text = text or "A picture."
    return text if len(text) <= MAX_FIGURE_ALT_CHARS else f"{text[: MAX_FIGURE_ALT_CHARS - 1]}…"


def _describe_axes(axes: Axes) -> str:
    titles = (axes.get_title(loc) for loc in ("left", "center", "right"))
    title = ", ".join(filter(None, map(_one_line, titles)))
    kind = _kind(axes)
    sentences = [f"{kind}: {title}" if title else kind]
    sentences += [f"Horizontal axis: {_one_line(axes.get_xlabel())}"] if axes.get_xlabel().strip() else []
    sentences += [f"Vertical axis: {_one_line(axes.get_ylabel())}"] if axes.get_ylabel().strip() else []
    series = [_one_line(label) for label in axes.get_legend_handles_labels()[1]]
    if axes.get_legend() is not None and series:
        others = f" and {len(series) - _MAX_SERIES} more" if len(series) > _MAX_SERIES else ""
        sentences.append(f"Series: {', '.join(series[:_MAX_SERIES])}{others}")
    return ". ".join(sentence.rstrip(".") for sentence in sentences)


def _kind(axes: Axes) -> str:
    if any(isinstance(patch, Wedge) for patch in axes.patches):
        return "Pie chart"
    if any(isinstance(container, BarContainer) for container in axes.containers):
        return "Bar chart"
    if axes.images:
        return "Image"
    if any(isinstance(collection, PathCollection) for collection in axes.collections):
        return "Scatter plot"
    return "Line chart" if axes.lines else "Chart"


def _one_line(text: str) -> str:
    """Return text with single spaces and without control characters."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())
