"""What a query's reader tells the parser about a column. Apart from the parser, because the reader process imports no pandas."""

#: The metadata of a column of text whose values are numbers of any length.
DECIMAL: dict[bytes | str, bytes | str] = {b"nightmail": b"decimal"}
