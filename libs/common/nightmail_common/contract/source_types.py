"""The words of a data source. Apart from the models, because a sandboxed worker imports no pydantic."""

from typing import Literal

SourceType = Literal["api", "file", "sql"]
FileType = Literal["csv", "tsv", "json", "jsonl", "xlsx", "parquet"]
#: What a source may declare a column to be.
ColumnType = Literal["text", "integer", "number", "boolean", "date", "datetime"]
