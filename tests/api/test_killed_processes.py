"""The API as processes of its own: two that decide at once, and one that is killed at any point."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError, ProgrammingError

from api.conftest import ON_BOTH_DATABASES, NewDatabase, Replica, all_rows
from nightmail_api.bootstrap import database
from nightmail_api.read_model import schema
from nightmail_api.settings import ApiSettings
from nightmail_common.broker.log import EventLog
from support.api_process import ApiProcess
from support.deadlines import eventually
from support.histories import random_history, write
from support.job_requests import job_request
from support.nats_server import NatsServer

pytestmark = ON_BOTH_DATABASES

MakeProcess = Callable[[], ApiProcess]


@pytest.fixture
async def make_process(
    nats_server: NatsServer, event_log: EventLog, tmp_path: Path, new_database: NewDatabase
) -> AsyncIterator[MakeProcess]:
    """Make API processes on an empty log; all are gone at the end."""
    made: list[ApiProcess] = []
    url = new_database()

    def make() -> ApiProcess:
        made.append(ApiProcess(nats_server.url, tmp_path / f"process-{len(made)}", url))
        return made[-1]

    yield make
    for process in made:
        process.kill()
        await process.http.aclose()


async def test_of_fifty_clients_of_two_processes_that_create_one_name_at_once_one_does(
    make_process: MakeProcess,
) -> None:
    processes = [make_process(), make_process()]
    for process in processes:
        process.start()
    for process in processes:
        await process.ready()
    answers = await asyncio.gather(
        *(processes[number % 2].http.post("/jobs/create", json=job_request()) for number in range(50))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}


async def test_a_process_killed_at_any_point_comes_to_the_rows_that_one_from_scratch_has(
    make_process: MakeProcess,
    nats_server: NatsServer,
    event_log: EventLog,
    tmp_path: Path,
    new_database: NewDatabase,
) -> None:
    rng = random.Random(20260302)
    history = random_history(rng)
    killed = make_process()
    last = 0
    for number in range(4):
        # It is killed while it catches up with what came meanwhile, and in the later rounds while more comes, too.
        await write(event_log, history, 400)
        writing = asyncio.create_task(write(event_log, history, 100 * number))
        last += 400 + 100 * number
        killed.start()
        here = rng.randrange(checkpoint(killed.settings) + 1, last)

        def has_applied(sequence: int = here) -> bool:
            return checkpoint(killed.settings) >= sequence

        await eventually(has_applied, f"event {here} is applied")
        killed.kill()
        await writing
    goes_on = Replica(nats_server.url, killed.settings.data_dir, database_url=killed.settings.database_url)
    from_scratch = Replica(nats_server.url, tmp_path / "from-scratch", database_url=new_database())
    for replica in (goes_on, from_scratch):
        await replica.start()
        await replica.stop()
        await replica.http.aclose()
    rows = all_rows(from_scratch.settings)
    assert len(rows["runs"]) > 100
    assert all_rows(goes_on.settings) == rows


def checkpoint(settings: ApiSettings) -> int:
    """Return what a read model says at this moment; 0 while there is none."""
    with (
        suppress(OperationalError, ProgrammingError),
        closing(database(settings)) as opened,
        opened.read_engine.connect() as connection,
    ):
        sequence: int = connection.execute(select(schema.checkpoint.c.sequence)).scalar_one()
        return sequence
    return 0
