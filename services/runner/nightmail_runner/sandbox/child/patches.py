"""Workarounds for matplotlib."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import matplotlib
from matplotlib import pyplot
from matplotlib.figure import Figure


def record_new_figures(record: Callable[[Figure], None]) -> None:
    """Pass each new figure to `record`.

    The setting `figure.hooks` sees only the figures that pyplot creates, not those of `Figure()`
    (https://matplotlib.org/stable/api/_as_gen/matplotlib.pyplot.figure.html).
    """
    create = Figure.__init__

    @wraps(create)
    def create_and_record(figure: Figure, *args: Any, **kwargs: Any) -> None:
        create(figure, *args, **kwargs)
        record(figure)

    Figure.__init__ = create_and_record  # type: ignore[assignment, method-assign]


def ignore_choice_of_backend() -> None:
    """Make `matplotlib.use` do nothing: scripts from elsewhere choose `Agg`, which would replace our backend."""

    def use(*args: Any, **kwargs: Any) -> None:
        pass

    matplotlib.use = pyplot.switch_backend = use
