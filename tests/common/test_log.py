"""What the log promises its writers: expectations, message ids, batches that are whole or not there."""

from collections.abc import Callable

import pytest

from nightmail_common.broker.batch import MAX_BATCH, Batch, Message
from nightmail_common.broker.log import BatchRefused, EventLog, Expectation, Publication, WrongLastSequence
from nightmail_common.contract.events import JobCreated
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import events_of_job, subject_of

MakeJob = Callable[..., Job]


def created(job: Job) -> JobCreated:
    return JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job)


@pytest.mark.parametrize("name", ["café · 日本 * >", "100 % .", "a.b.c", "tab\there"])
async def test_an_event_is_found_by_the_name_of_its_job(event_log: EventLog, make_job: MakeJob, name: str) -> None:
    event = created(make_job().model_copy(update={"job_name": name}))
    stored = await event_log.publish(event)
    last = await event_log.last_event(events_of_job(name)[0])
    assert last is not None
    assert (last.sequence, last.subject, last.job_name, last.event()) == (
        stored.sequence,
        subject_of(event),
        name,
        event,
    )


async def test_the_second_event_with_the_same_expectation_is_refused(event_log: EventLog, make_job: MakeJob) -> None:
    event = created(make_job())
    nothing_yet = Expectation(events_of_job(event.job_name)[0], 0)
    await event_log.publish(event, expectation=nothing_yet)
    with pytest.raises(WrongLastSequence):
        await event_log.publish(event, expectation=nothing_yet)
    assert await event_log.last_sequence() == 1


async def test_a_message_id_is_stored_once(event_log: EventLog, make_job: MakeJob) -> None:
    first = await event_log.publish(created(make_job()), message_id="one")
    again = await event_log.publish(created(make_job()), message_id="one")
    assert (again.sequence, first.duplicate, again.duplicate) == (first.sequence, False, True)


async def test_a_batch_is_stored_in_order_and_whole(event_log: EventLog, make_job: MakeJob) -> None:
    events = [created(make_job(job_name=f"job {number}")) for number in range(25)]
    last = await event_log.publish_batch([Publication(event, message_id=event.job_name) for event in events])
    assert last == len(events)
    read = [stored.event() async for batch in event_log.replay() for stored in batch]
    assert read == events


@pytest.mark.parametrize("which", ["stored already", "expects too little"])
async def test_a_batch_with_one_bad_event_is_refused_whole(event_log: EventLog, make_job: MakeJob, which: str) -> None:
    there = created(make_job(job_name="there"))
    await event_log.publish(there, message_id="there")
    bad = (
        Publication(there, message_id="there")
        if which == "stored already"
        else Publication(there, expectation=Expectation(events_of_job("there")[0], 0))
    )
    with pytest.raises(BatchRefused):
        await event_log.publish_batch([Publication(created(make_job(job_name="new"))), bad])
    assert await event_log.last_sequence() == 1


async def test_a_batch_has_one_to_a_thousand_events(event_log: EventLog, make_job: MakeJob) -> None:
    event = Publication(created(make_job()))
    for count in (0, MAX_BATCH + 1):
        with pytest.raises(ValueError, match="1 to 1000"):
            await event_log.publish_batch([event] * count)


def test_a_header_with_a_line_break_is_refused() -> None:
    batch = Batch()
    batch.add(Message("runs.a.b", b"", {"x": "1\r\nNats-Rollup: all"}))
    with pytest.raises(ValueError, match="line break"):
        batch.add(Message("runs.a.b", b"", {}))
