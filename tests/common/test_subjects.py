"""How names of jobs and events make subjects, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from nightmail_common.contract.events import EVENTS
from nightmail_common.contract.subjects import ALL_EVENTS, events_named, events_of_job, job_name_of, job_token
from support.deadlines import scaled

#: Names as they come, and names of what has a meaning in a subject.
NAMES = st.text(min_size=1, max_size=128) | st.text(".*>% \t$%20é", min_size=1, max_size=12)


@given(NAMES)
def test_any_name_survives_a_round_trip_through_a_subject_token(name: str) -> None:
    token = job_token(name)
    assert job_name_of(token) == name
    assert token
    assert not any(char in ".*>" or char.isspace() or not char.isprintable() for char in token)


@given(NAMES, NAMES)
def test_two_names_are_two_tokens(name: str, other: str) -> None:
    assert (job_token(name) == job_token(other)) == (name == other)


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("sales", "sales"),
        ("daily sales", "daily%20sales"),
        ("v1.2", "v1%2E2"),
        ("100%", "100%25"),
        ("a%20b", "a%2520b"),
        ("a*b>c", "a%2Ab%3Ec"),
        ("日報", "日報"),
        ("a\u00a0b", "a%C2%A0b"),
    ],
)
def test_a_name_is_encoded_only_where_nats_forbids_a_character(name: str, token: str) -> None:
    """The tokens are in the log for ever: another spelling of one would hide a job's history."""
    assert job_token(name) == token


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_found_by_its_name_and_by_its_job(name: str) -> None:
    family = EVENTS[name].family
    assert events_named(name) == f"{family}.*.{name}"
    assert f"{family}.daily%20sales.>" in events_of_job("daily sales")
    assert f"{family}.>" in ALL_EVENTS


async def test_a_filter_of_one_job_delivers_the_events_of_that_job_only(nats_client: Client) -> None:
    names = ["a b", "a.b", "a*b", "a", "a b.c", "*", ">", "日 報"]
    for name in names:
        heard = [await nats_client.subscribe(subjects) for subjects in events_of_job(name)]
        await nats_client.flush()
        for other in names:
            await nats_client.publish(f"jobs.{job_token(other)}.job-paused")
            await nats_client.publish(f"runs.{job_token(other)}.run-started")
        await nats_client.flush()
        for subscription, family in zip(heard, ("jobs", "runs"), strict=True):
            message = await subscription.next_msg(timeout=scaled(5))
            assert (message.subject.split(".")[0], job_name_of(message.subject.split(".")[1])) == (family, name)
            assert subscription.pending_msgs == 0
            await subscription.unsubscribe()
