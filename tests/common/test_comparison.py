"""The comparison of two results."""

import io
import random
import time

import pytest

from nightmail_common.contract import comparison
from nightmail_common.contract.comparison import (
    CannotCompare,
    ChangedCell,
    ChangedRow,
    Comparison,
    CsvTable,
    TooManyRows,
    compare,
)
from nightmail_common.contract.limits import MAX_LISTED_CELL_CHARS, MAX_LISTED_ROWS
from support.deadlines import scaled

BEFORE = "region,product,amount\nnorth,tea,1.10\nsouth,tea,5\nwest,milk,7\n"
AFTER = "region,product,amount\nwest,milk,7\neast,tea,3\nnorth,tea,1.1\n"


def table(text: str, delimiter: str = ",", name: str = "the result") -> CsvTable:
    return CsvTable(io.BytesIO(text.encode()), delimiter, name)


def compared(before: str, after: str, *key: str) -> Comparison:
    return compare(table(before), table(after), key)


def counts(found: Comparison) -> tuple[int, int, int, int]:
    return found.added, found.removed, found.changed, found.unchanged


def test_rows_are_compared_by_their_key_and_numbers_by_their_text() -> None:
    found = compared(BEFORE, AFTER, "region", "product")
    assert counts(found) == (1, 1, 1, 1)
    assert found.added_rows == [["east", "tea", "3"]]
    assert found.removed_rows == [["south", "tea", "5"]]
    assert found.changed_rows == [ChangedRow(["north", "tea"], [ChangedCell("amount", "1.10", "1.1")])]
    assert found.marks == ["", "new", "changed"]


def test_without_a_key_results_are_multisets_of_rows() -> None:
    found = compared("a\n1\n1\n1\n2\n", "a\n2\n1\n3\n3\n")
    assert counts(found) == (2, 2, 0, 2)
    assert (found.added_rows, found.removed_rows) == ([["3"], ["3"]], [["1"], ["1"]])
    assert found.marks == ["", "", "new", "new"]


@pytest.mark.parametrize("key", [(), ("a",)])
def test_the_order_of_rows_and_columns_does_not_matter(key: tuple[str, ...]) -> None:
    found = compared("a,b\n1,x\n2,y\n", "b,a\ny,2\nx,1\n", *key)
    assert found.is_same
    assert counts(found) == (0, 0, 0, 2)


@pytest.mark.parametrize("key", [(), ("a",)])
def test_an_added_or_removed_column_changes_no_row(key: tuple[str, ...]) -> None:
    found = compared("a,b,old\n1,x,0\n", "a,new,b\n1,9,x\n", *key)
    assert counts(found) == (0, 0, 0, 1)
    assert (found.columns_added, found.columns_removed) == (["new"], ["old"])
    assert not found.is_same


def test_columns_of_the_same_name_are_distinguished_by_their_order() -> None:
    found = compared("a,a\n1,2\n", "a,a,a\n1,2,3\n")
    assert (found.columns_added, counts(found)) == (["a"], (0, 0, 0, 1))
    assert compared("k,a,a\n1,2,3\n", "k,a,a\n1,3,2\n", "k").changed == 1


def test_a_key_that_two_rows_have_is_an_error_that_names_it() -> None:
    for before, after, where in (("a,b\n1,x\n1,y\n", "a,b\n1,x\n", "old"), ("a,b\n1,x\n", "a,b\n1,x\n1,y\n", "new")):
        with pytest.raises(CannotCompare, match=f"two rows of {where} have the same key: a = '1'"):
            compare(table(before, name="old"), table(after, name="new"), ["a"])


def test_a_key_column_that_does_not_exist_is_an_error_that_lists_those_that_do() -> None:
    with pytest.raises(CannotCompare, match="the column 'regoin' of the result does not exist; there are region, amou"):
        compared("region,amount\nn,1\n", "region,amount\nn,1\n", "regoin")
    with pytest.raises(CannotCompare, match="occurs more than once"):
        compared("a,a\n1,2\n", "a,a\n1,2\n", "a")


def test_cells_that_join_to_the_same_text_differ() -> None:
    assert counts(compared("a,b\n1,23\n", "a,b\n12,3\n")) == (1, 1, 0, 0)
    assert counts(compared('a,b\n"1:x",\n', 'a,b\n1,"x"\n')) == (1, 1, 0, 0)


def test_each_result_is_read_in_its_own_format() -> None:
    before = table('a;b\n"x;y";1,5\n', ";")
    after = CsvTable(io.BytesIO('\ufeffa,b\nx;y,"1,5"\n'.encode()), ",")
    assert compare(before, after, ["a"]).is_same


def test_results_without_rows_or_columns_are_compared() -> None:
    assert compared("a\n", "a\n", "a").is_same
    assert counts(compared("\n", "a\n1\n")) == (1, 0, 0, 0)
    assert compared("a\n", 'a\n""\n').added == 1  # a row with one missing value
    assert compared("", "").is_same


def test_the_first_rows_are_listed_and_all_are_counted() -> None:
    many = "".join(f"{number},{number}\n" for number in range(500))
    other = "".join(f"{number},x\n" for number in range(500))
    found = compared("k,v\n" + many, "k,v\n" + other, "k")
    assert (found.changed, len(found.changed_rows), len(found.marks)) == (500, MAX_LISTED_ROWS, 20)
    assert (found.changed_rows[199].key, found.changed_rows[199].cells) == (["199"], [ChangedCell("v", "199", "x")])
    found = compared("k,v\n", "k,v\n" + many, "k")
    assert (found.added, len(found.added_rows)) == (500, MAX_LISTED_ROWS)
    assert len(compared("k,v\n" + many, "k,v\n").removed_rows) == MAX_LISTED_ROWS


def test_long_cells_and_many_of_them_are_shortened() -> None:
    row = ",".join(["x" * 5000] * 100)
    found = compared("a\n", ",".join(f"c{number}" for number in range(100)) + "\n" + f"{row}\n" * 300)
    assert found.added == 300
    assert len(found.added_rows[0][0]) == MAX_LISTED_CELL_CHARS
    assert sum(len(cell) for listed in found.added_rows for cell in listed) < 2_200_000


def test_more_rows_than_a_comparison_may_have_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "MAX_COMPARED_ROWS", 2)
    assert compared("a\n1\n2\n", "a\n1\n2\n").is_same
    with pytest.raises(TooManyRows):
        compared("a\n1\n2\n3\n", "a\n1\n")


def test_counts_are_those_of_a_comparison_of_whole_rows() -> None:
    draw = random.Random(14)
    for _ in range(200):
        sides = [{draw.randrange(30): draw.randrange(3) for _ in range(draw.randrange(30))} for _ in range(2)]
        before, after = ("k,v\n" + "".join(f"{k},{v}\n" for k, v in side.items()) for side in sides)
        old, new = sides
        common = old.keys() & new.keys()
        changed = sum(old[k] != new[k] for k in common)
        expected = (len(new.keys() - old.keys()), len(old.keys() - new.keys()), changed, len(common) - changed)
        assert counts(compared(before, after, "k")) == expected


def test_results_as_wide_as_a_sheet_are_compared_at_once() -> None:
    columns = [f"column {number}" for number in range(16_384)]
    before, after = (",".join(columns) + "\n" + ",".join([value] * len(columns)) + "\n" for value in "12")
    began = time.process_time()
    assert counts(compared(before, after)) == (1, 1, 0, 0)
    assert time.process_time() - began < scaled(1)
