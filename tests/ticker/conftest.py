"""The clock of tickers that a test sets."""

import pytest

from support.tickers import ShiftedClock


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()
