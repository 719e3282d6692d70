"""The words of a data source. Apart from the models, because a sandboxed worker imports no pydantic."""

from typing import Literal

SourceType = Literal["api", "file", "sql"]
FileType = Literal["csv", "tsv", "json", "jsonl", "xlsx", "parquet"]
#: What a source may declare a column to be.
ColumnType = Literal["text", "integer", "number", "boolean", "date", "datetime"]

#: The name of a job's `data_source` among its sources.
MAIN_SOURCE = "data"


def of_source(name: str, text: str) -> str:
    """Return a text about a source; about one of `more_sources`, with its name."""
    return text if name == MAIN_SOURCE else f"source {name!r}: {text}"
