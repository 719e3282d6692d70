"""The audit log: every event, in its one order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from nightmail_api.access.tokens import Principal
from nightmail_api.http.dependencies import AppState, State, check_in_log
from nightmail_api.http.problems import NotReady, Problem, ValidationProblem
from nightmail_api.http.responses import encoded_response, problems
from nightmail_api.http.routing import Caller, ViewerRoute
from nightmail_api.http.schemas import EventList
from nightmail_api.read_model.acts import acts_of, known_event_of_job
from nightmail_api.read_model.event_feed import FeedEvent
from nightmail_api.read_model.event_queries import subject_filter
from nightmail_api.read_model.queries import Queries
from nightmail_common.contract.events import EVENTS

viewer = APIRouter(route_class=ViewerRoute, tags=["events"])
routers = (viewer,)


def _check_event_type(name: str | None) -> str | None:
    # An empty list, or a stream that waits for ever, would be the answer to a misspelt type.
    if name is not None and name not in EVENTS:
        raise PydanticCustomError("event_type", "there is no event type of this name", {"allowed": list(EVENTS)})
    return name


EventType = Annotated[
    str | None,
    Query(description="Only events of this type.", json_schema_extra={"enum": list(EVENTS)}),
    AfterValidator(_check_event_type),
]
JobFilter = Annotated[str | None, Query(min_length=1, max_length=128, description="Only events of this job.")]
RunFilter = Annotated[UUID | None, Query(description="Only events of this run.")]
# Unlike a page, the answer has no `next_cursor`, so the limit is honoured.
EventLimit = Annotated[int, Query(ge=1, le=1000, description="The largest number of events.")]
Include = Annotated[
    Literal["results"] | None,
    Query(description="`results`: with the bytes of the results that `result-ready` holds; otherwise they are `null`."),
]
Omit = Annotated[
    Literal["results"] | None,
    Query(description="`results`: the bytes of the results that `result-ready` holds are `null`."),
]
Heartbeat = Annotated[
    bool,
    Query(description="An event `heartbeat` without an id at first and every 10 s while this replica is ready."),
]
After = Annotated[int, Query(ge=0, le=2**62, description="Only events after this `seq`.")]
Before = Annotated[
    int | None,
    Query(ge=1, le=2**62, description="Only events before this `seq`, newest first; not with `run_id` and `after`."),
]
StreamAfter = Annotated[int | None, Query(ge=0, le=2**62, description="Start after this `seq`; the default is now.")]
LastEventId = Annotated[
    int | None,
    Header(ge=0, le=2**62, description="The last `seq` received: resumes a broken stream. Browsers send it."),
]
ActorFilter = Annotated[
    str | None,
    Query(min_length=1, max_length=256, description="Only events that this actor caused."),
]

#: A token that expires, and one that was revoked while this replica had lost the broker, end a stream after this time.
REAUTHENTICATION_SECONDS = 30.0
#: A browser does not see the comments that keep a connection open.
HEARTBEAT_SECONDS = 10.0
#: How long a request for a list of events waits for those before it.
TURN_SECONDS = 30.0


@viewer.get("/events", response_model=EventList, responses=problems())
async def list_events(
    caller: Caller,
    state: State,
    job_name: JobFilter = None,
    run_id: RunFilter = None,
    type: EventType = None,  # noqa: A002
    after: After = 0,
    before: Before = None,
    actor: ActorFilter = None,
    limit: EventLimit = 30,
    include: Include = None,
) -> Response:
    """List events, oldest first. To read on, repeat the call with the last `seq` as `after` until the list is empty.

    With `before`, newest first; the answer's `next_before` is the `before` of the next page, null at the end. A list of
    8 MiB ends before `limit`. Each event is read from the log itself, which takes the broker 20 to 60 µs.
    """
    async with _turn_of(caller, state):
        if before is not None:
            return await _list_backwards(state, job_name, run_id, type, after, before, actor, limit, include)
        return await _list_forwards(state, job_name, run_id, type, after, actor, limit, include)


@asynccontextmanager
async def _turn_of(caller: Principal, state: AppState) -> AsyncIterator[None]:
    """Wait until the log may be read for a caller.

    Raises:
        NotReady: the caller's turn does not come in time.
    """
    async with AsyncExitStack() as turn:
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turn.enter_async_context(state.event_lists.hold(caller.name))
        except TimeoutError:
            raise NotReady("too many lists of events are being read", retry_after_seconds=5) from None
        yield


async def _list_forwards(
    state: AppState,
    job_name: str | None,
    run_id: UUID | None,
    type: str | None,  # noqa: A002
    after: int,
    actor: str | None,
    limit: int,
    include: str | None,
) -> Response:
    if actor is not None:
        of_run = None if run_id is None else str(run_id)
        wanted = await state.read(acts_of, actor, limit, after=after, job_name=job_name, type=type, run_id=of_run)
        events, _ = await state.audit.page_of(wanted, with_results=include == "results")
    elif run_id is None:
        events = await state.audit.page(subject_filter(job_name, type), after, limit, with_results=include == "results")
    else:
        run = await state.read(Queries.run, str(run_id)) or {"timeline": [], "job_name": None}
        is_of_job = job_name in {None, run["job_name"]}
        sequences = [entry["sequence"] for entry in run["timeline"] if is_of_job and type in {None, entry["type"]}]
        wanted = [sequence for sequence in sequences if sequence > after][:limit]
        events, _ = await state.audit.page_of(wanted, with_results=include == "results")
    return encoded_response(b'{"items":[' + b",".join(events) + b"]}")


async def _list_backwards(
    state: AppState,
    job_name: str | None,
    run_id: UUID | None,
    event_type: str | None,
    after: int,
    before: int,
    actor: str | None,
    limit: int,
    include: str | None,
) -> Response:
    if run_id is not None or after:
        other = "run_id" if run_id is not None else "after"
        raise ValidationProblem((other, "cannot be combined with before"))
    end = min(max(state.model.applied, state.model.last) + 1, before)
    if actor is None:
        known = None
        if job_name is not None and event_type is None:
            known = await state.read(known_event_of_job, job_name, end, limit)
        events, next_before = await state.audit.page_before(
            subject_filter(job_name, event_type), end, limit, with_results=include == "results", known=known
        )
    else:
        sequences = await state.read(acts_of, actor, limit + 1, before=end, job_name=job_name, type=event_type)
        events, count = await state.audit.page_of(sequences[:limit], with_results=include == "results")
        next_before = sequences[count - 1] if count < len(sequences) else None
    ending = b"null" if next_before is None else b"%d" % next_before
    return encoded_response(b'{"items":[' + b",".join(events) + b'],"next_before":' + ending + b"}")


async def check_stream_start(state: State, after: StreamAfter = None, last_event_id: LastEventId = None) -> None:
    """Refuse a stream that starts after the end of the log: it would miss the events up to there.

    Raises:
        ValidationProblem: the log does not reach to where the caller wants to start.
    """
    name, start = ("after", after) if last_event_id is None else ("last-event-id", last_event_id)
    if start is not None and start > state.model.applied:
        await check_in_log(name, start, state)


async def hold_stream(caller: Caller, state: State) -> AsyncIterator[None]:
    """Count the stream until its response has ended.

    Raises:
        TooManyRequests: the caller has too many streams open.
        NotReady: this replica has.
    """
    with state.streams.hold(caller.name):
        yield


@viewer.get(
    "/events/stream",
    dependencies=[Depends(check_stream_start), Depends(hold_stream)],
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {"example": "id: 42\ndata: …\n\n"}}}, **problems()},
)
async def stream_events(
    request: Request,
    state: State,
    job_name: JobFilter = None,
    run_id: RunFilter = None,
    type: EventType = None,  # noqa: A002
    after: StreamAfter = None,
    last_event_id: LastEventId = None,
    omit: Omit = None,
    heartbeat: Heartbeat = False,
) -> AsyncIterator[ServerSentEvent]:
    """Stream events as they happen (SSE). The id of each is its `seq`, so that a client can resume without a gap.

    The stream waits for a slow reader; a comment every 15 seconds keeps the connection open. It ends with the caller's token
    or session. A replica serves all streams from one follower of the log.
    """
    start = last_event_id if last_event_id is not None else after if after is not None else state.model.applied
    following = state.feed.follow(subject_filter(job_name, type), start)
    stopping = asyncio.ensure_future(state.stopping.wait())
    upcoming: asyncio.Future[list[FeedEvent]] | None = None
    try:
        while True:
            upcoming = asyncio.ensure_future(anext(following))
            while not upcoming.done():
                if heartbeat and state.health.report()[0]:
                    yield ServerSentEvent(event="heartbeat", raw_data="ready")
                change = state.tokens.next_change()
                waited: set[asyncio.Future[Any]] = {upcoming, stopping, change}
                timeout = HEARTBEAT_SECONDS if heartbeat else REAUTHENTICATION_SECONDS
                await asyncio.wait(waited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if stopping.done() or not (upcoming.done() or await _is_permitted(request, state)):
                    return
            for event in upcoming.result():
                if run_id is None or event.run_id == str(run_id):
                    text = event.text if omit is None else event.text_without_results
                    yield ServerSentEvent(raw_data=text, id=str(event.sequence))
    finally:
        stopping.cancel()
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.wait({upcoming})
        await following.aclose()


async def _is_permitted(request: Request, state: AppState) -> bool:
    """Return whether the caller of an open stream may still read. While the broker does not answer, it may."""
    try:
        await state.authenticator.authenticate(request)
    except NotReady:
        return True
    except Problem:
        return False
    return True
