"""The tests of the web console."""

import pytest

from console.node import Npm


@pytest.fixture(scope="session")
def npm() -> Npm:
    return Npm()
