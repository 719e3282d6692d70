"""Delimited text as programs and people write it: no row is lost, and what was read in another way than it looks is said."""

from typing import Any

import pytest

from support.parsing import columns, parsed, refusal


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ('width",price', ['width"', "price"]),
        ('a, "b', ["a", '"b']),
        ('size (5"),5" disk', ['size (5")', '5" disk']),
        ('"a ""x""\nb",c', ['a "x"\nb', "c"]),
    ],
)
@pytest.mark.parametrize("count", [1, 50_000])
def test_a_quote_inside_of_a_name_takes_no_record_into_the_header(header: str, names: list[str], count: int) -> None:
    data = f"{header}\n" + "1,2\n" * count
    assert columns(data) == {names[0]: [1] * count, names[1]: [2] * count}
    assert refusal(f"{header}\n1,2\n1,x\n", types={names[1]: "integer"}).startswith(f"line {header.count(chr(10)) + 3}:")


def test_a_header_with_an_open_quote_is_an_error() -> None:
    assert "line 1: the header cannot be read: a quote opens here and does not close" in refusal('"a,b\n1,2\n')
