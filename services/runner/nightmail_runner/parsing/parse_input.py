"""The bytes of a source to a table: unpacked, recognised, decoded, read.

Every reader is imported here, before the sandbox is locked: a worker cannot read the files of this package.
"""

from nightmail_runner.parsing.arrow_stream import read_arrow_stream
from nightmail_runner.parsing.content import refuse_other_formats, unpack
from nightmail_runner.parsing.delimited import read_delimited
from nightmail_runner.parsing.json_records import read_json, read_json_lines
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.parsing.parquet import read_parquet
from nightmail_runner.parsing.table import Table
from nightmail_runner.parsing.text_encoding import refuse_nuls, to_utf8
from nightmail_runner.parsing.workbook import read_workbook


def parse_input(data: memoryview, options: ReadOptions) -> Table:
    """Return the table that a source's bytes are.

    Raises:
        InputNotReadable: they do not have the source's file type; the message is for the user.
    """
    notes: list[str] = []
    table = _read(data, options, notes)
    if options.total_records is not None and options.total_records > len(table.frame):
        table.notes.append(
            f"the headers of the answer count {options.total_records} records, but the run has read {len(table.frame)}; the others"
            " are missing"
        )
    return table


def _read(data: memoryview, options: ReadOptions, notes: list[str]) -> Table:
    if options.file_type == "arrow":
        return read_arrow_stream(data, notes)
    if options.own:
        return read_delimited(to_utf8(data, options, notes), options, notes)
    data = unpack(data, options, notes)
    refuse_other_formats(data, options)
    if options.file_type == "xlsx":
        return read_workbook(data, options, notes)
    if options.file_type == "parquet":
        return read_parquet(data, notes)
    text = to_utf8(data, options, notes)
    refuse_nuls(text)
    refuse_other_formats(text, options)
    read = {"json": read_json, "jsonl": read_json_lines}.get(options.file_type, read_delimited)
    return read(text, options, notes)
