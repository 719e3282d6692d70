"""Large text that the processors share is judged as the whole would be, wherever a share begins."""

import os
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightmail_runner.parsing import byte_search


@pytest.fixture(scope="module", autouse=True)
def small_shares() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_search, "_SHARE_BYTES", 4)
        patch.setattr(os, "cpu_count", lambda: 4)
        yield


def is_utf8(text: memoryview) -> bool:
    with suppress(UnicodeDecodeError):
        bytes(text).decode()
        return True
    return False


@pytest.mark.parametrize("character", ["é", "€", "😀"])
@pytest.mark.parametrize("before", range(20))
def test_a_share_does_not_begin_in_the_middle_of_a_character(character: str, before: int) -> None:
    text = "a" * before + character + "b" * (20 - before)
    sizes: list[int] = []

    def holds(share: memoryview) -> bool:
        sizes.append(len(share))
        return is_utf8(share)

    assert byte_search.all_shares(memoryview(text.encode()), holds)
    assert len(sizes) == 4
    assert min(sizes) > 0


@given(
    st.text(min_size=4).map(str.encode)
    | st.binary(min_size=16)
    | st.text(min_size=16).map(lambda text: text.encode("latin-1", "replace"))
)
def test_bytes_are_utf8_in_shares_exactly_if_they_are_as_a_whole(data: bytes) -> None:
    assert byte_search.all_shares(memoryview(data), is_utf8) == is_utf8(memoryview(data))


@given(st.text(min_size=16).map(str.encode))
def test_no_byte_is_missed_by_the_shares(text: bytes) -> None:
    assert byte_search.all_shares(memoryview(text), lambda share: 0 not in bytes(share)) == (0 not in text)
