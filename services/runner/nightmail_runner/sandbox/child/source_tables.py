"""The tables of a run's sources, as its script gets them."""

from typing import NoReturn

import pandas


class Sources(dict[str, pandas.DataFrame]):
    """Tables by the names of their sources: `data` for the `data_source`, then the `more_sources`.

    Raises:
        KeyError: there is no source of a name; the message has the names that there are.
    """

    def __missing__(self, name: object) -> NoReturn:
        raise KeyError(f"there is no source {name!r}; the sources of this job are {', '.join(map(repr, self))}")
