"""The console's fold of events equals the API's projection: after every prefix of a recorded log, the same runs and jobs."""

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.test_recorded_log import recorded
from console.node import Npm
from nightmail_api.read_model.event_queries import event_json
from nightmail_api.read_model.job_lists import list_jobs
from nightmail_api.read_model.projection import Projection
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.sqlite import SqliteDatabase

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def test_the_fold_of_a_recorded_log_is_the_projection_after_every_event(npm: Npm, tmp_path: Path) -> None:
    cases: list[dict[str, Any]] = []
    database = SqliteDatabase(tmp_path / "projection.sqlite")
    projection = Projection(database)
    with closing(database), database.read_engine.connect() as connection:
        applied = 0
        for stored in recorded():
            assert projection.apply([stored], log_id="", after=applied).late is None
            applied = stored.sequence
            connection.rollback()  # a read transaction sees the database as it was at its begin
            queries = Queries(connection)
            runs = queries.runs(
                job_name=None, status=None, trigger=None, since=None, until=None, id_prefix=None, limit=500, cursor=None
            )
            jobs = list_jobs(queries, limit=500, now=NOW)
            cases.append(
                {
                    "event": json.loads(event_json(stored)),
                    "runs": [json.loads(item) for item in runs.items],
                    "jobs": [json.loads(item) for item in jobs.items],
                }
            )
    file = tmp_path / "cases.json"
    file.write_text(json.dumps(cases))
    printed = npm("npm", "run", "--silent", "test:fold", FOLD_CASES=str(file))
    assert "# pass 3" in printed, printed
