"""A full or absent database makes one line when it fails and one when it works again, however often it is tried."""

import pytest
import structlog
from structlog.testing import capture_logs

from nightmail_api.read_model.database import DatabaseUnavailable
from nightmail_api.read_model.database_state import DatabaseState


def fail(state: DatabaseState, call: str) -> None:
    with pytest.raises(DatabaseUnavailable), state.during(call):
        raise DatabaseUnavailable("database or disk is full")


def work(state: DatabaseState, call: str) -> None:
    with state.during(call):
        pass


def test_a_change_of_the_state_is_one_line_and_a_read_does_not_hide_a_refused_write() -> None:
    state = DatabaseState()
    structlog.reset_defaults()
    with capture_logs() as lines:
        work(state, "apply")
        for _ in range(100):
            fail(state, "apply")
            fail(state, "expire")
            work(state, "position")
            work(state, "expire")
            assert not state.is_available()
            assert state.error() == "database or disk is full"
        work(state, "apply")
        assert state.is_available()
        assert state.error() is None
        work(state, "apply")
        fail(state, "apply")
    assert [line["event"] for line in lines] == [
        "database_not_reachable",
        "database_reachable",
        "database_not_reachable",
    ]
