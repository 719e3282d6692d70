"""What a source's bytes become."""

from dataclasses import dataclass

import pandas


@dataclass
class Table:
    """A DataFrame, and in `notes` every decision that the reader had to take."""

    frame: pandas.DataFrame
    notes: list[str]
